//! The two tiers of a star join: what each withstands, by which protocol, and what the stronger one costs more.

use base_types::fault::Fault;
use notary_terms::{Plan, Read, ReadRole, Star, Tier};
use sqlparser::tokenizer::Location;

use crate::{
    cost::{BYTES_MILLI, Cost, ROUNDS_MILLI},
    explain::{Words, words},
    refuse::unsupported,
    steps::names,
};

/// Most cells of a star in tier B, and in B+, where a cell takes up to 180 bytes until a shuffle of it is proven: with either an
/// engine takes about 2 GiB.
const MOST_CELLS: u64 = 1 << 25;
const MOST_CHECKED_CELLS: u64 = 3 << 22;

/// Refuses a star that would take more memory than a node gives it.
pub(crate) fn check_size(plan: &Plan, at: Location) -> Result<(), Fault> {
    let cells = plan.star().map_or(0, |star| cells(plan, star));
    let (most, instead) = match plan.tier {
        Tier::BPlus => (MOST_CHECKED_CELLS, "ask for tier B, or use data sets of fewer rows"),
        _ => (MOST_CELLS, "use data sets of fewer rows, or ask for fewer values"),
    };
    if cells <= most {
        return Ok(());
    }
    let what = format!("a join of {cells} cells (rows times columns) in tier {}, of at most {most}", plan.tier.word());
    Err(unsupported(at, what, instead))
}

/// Bytes of memory that an engine takes for a cell in tier B, and in B+: with either about 2 GiB for the most there may be.
const BYTES_CELL: u64 = 64;
const BYTES_CHECKED_CELL: u64 = 180;

/// About how many bytes of memory an engine takes at a node.
pub(crate) fn memory(plan: &Plan, star: &Star) -> u64 {
    let each = if plan.tier == Tier::BPlus { BYTES_CHECKED_CELL } else { BYTES_CELL };
    cells(plan, star).saturating_mul(each)
}

/// Rows times columns of the widest step, as the engine counts them, which refuses more than tier B's bound.
fn cells(plan: &Plan, star: &Star) -> u64 {
    let count = |n: usize| u64::try_from(n).unwrap_or(0);
    let bound = |read: &Read| u64::from(read.rows_bound);
    let (rows, carrier): (u64, u64) = (plan.reads.iter().map(bound).sum(), plan.reads.first().map_or(0, bound));
    let values: u64 = plan.reads.iter().map(|read| count(read.values.len())).sum();
    let named = plan.reads.iter().map(|read| match &read.role {
        ReadRole::Carrier { groups } => groups.iter().map(|group| u64::from(group.words)).sum::<u64>(),
        ReadRole::Side { .. } | ReadRole::Set { .. } | ReadRole::Input { .. } => 0,
    });
    let (named, aggregates) = (named.sum::<u64>(), count(star.aggregates.len()));
    let ranks = u64::from((u32::BITS - star.max_groups.saturating_sub(1).leading_zeros()).max(1));
    let sides = count(plan.reads.len()).saturating_sub(1);
    let columns = u64::from(star.key_bits) + ranks + named + 3 * values + 2 * sides + 36;
    let totals = 3 * aggregates + named + 3;
    let averages = 48 * u64::from(star.max_groups) * aggregates;
    (rows * columns).max(carrier * totals * 4).max(averages)
}

/// What the tier of a star means.
pub(crate) fn tier(plan: &Plan) -> Words {
    let nodes = names(&plan.nodes);
    if plan.tier != Tier::BPlus {
        return words(
            format!(
                "Tier B: the nodes of {nodes} follow the protocol; one of them alone learns nothing from what it sees. \
                 Any two of the three together could see all inputs. That the arithmetic is right is not proven."
            ),
            format!(
                "B 级：{nodes} 的节点按协议执行；其中任何一个单独无法从所见中得知任何信息。\
                 三者中任意两个串通可看到全部输入。计算的正确性没有证明。"
            ),
        );
    }
    words(
        format!(
            "Tier B+: of the nodes of {nodes} one may deviate from the protocol in any way: it learns nothing from that, and the \
             answer is right or the run ends; every product and shuffle is proven before anything is opened. Rows that no owner may \
             have (a key twice, a person that counts twice, more rows than the bound, a value outside its range) end the run with their \
             owner's name; that rows are true is not proven. Any two of the three together could see all inputs. It costs several times the time of tier B."
        ),
        format!(
            "B+ 级：{nodes} 的节点中至多一个可任意偏离协议：它不会因此得知任何信息，答案要么正确，要么任务中止；\
             每次乘法与混洗均先经证明，之后才公开。所有者不可能有的行（键重复、同一人重复计数、行数超过上限、数值超出范围）会使任务中止并指明其所有者；\
             数据是否真实没有证明。三者中任意两个串通可看到全部输入。耗时为 B 级的数倍。"
        ),
    )
}

/// The protocol of a star's tier.
pub(crate) fn protocol(tier: Tier) -> Words {
    if tier != Tier::BPlus {
        return words(
            "Replicated secret sharing among three nodes on 64-bit words (Araki et al. 2016, ABY3); oblivious sort and scan \
             join; shuffle before anything is opened",
            "三方复制秘密共享（64 位字，Araki 等 2016、ABY3）；不经意排序与扫描连接；公开前先混洗",
        );
    }
    words(
        "Replicated secret sharing among three nodes on 64-bit words, its products and shuffles proven by fully linear proofs on \
         shares (Boneh et al. 2019, Boyle et al. 2019) before anything is opened, malicious with abort; oblivious sort and scan join",
        "三方复制秘密共享（64 位字），乘法与混洗在公开前以份额上的全线性证明验证（Boneh 等 2019、Boyle 等 2019），恶意安全、可中止；\
         不经意排序与扫描连接",
    )
}

/// Bits that a pass of a checked sort takes, and products that each row then takes for them.
const BITS_PASS: u64 = 5;
const PRODUCTS_PASS: u64 = 64;
/// Products, or what else takes as long, by which a carrier's row is compared with the one before, beside those a bit.
const PRODUCTS_LED: u64 = 30;
/// Words of conjunctions by which a value of a row is held to its range: two comparisons.
const WORDS_HELD: u64 = 14;
/// Words of conjunctions of a checked division and of a value's way to bits, for each group.
const WORDS_MEAN: u64 = 3_400;
const WORDS_SHOWN: u64 = 30;
/// Bytes that all parties send for a word, and for the check of one bit that an owner puts in.
const BYTES_WORD: u64 = 24;
const BYTES_BIT: u64 = 48;
/// A check: its rounds, its bytes, products after which one is due, and how many a machine proves and verifies in a
/// millisecond (integers, words of bits).
const ROUNDS_CHECK: u64 = 45;
const BYTES_CHECK: u64 = 70_000;
const DUE: u64 = 1 << 17;
const PRODUCTS_MILLI: u64 = 5_000;
const WORDS_MILLI: u64 = 1_500;

/// What a star costs in tier B+: the cost in tier B, its checks, and the longer way to bits. `columns` is the table's width,
/// `sorted` the bits of both keys, `means` the means among its aggregates.
pub(crate) fn checked(plan: &Plan, star: &Star, cost: &Cost, [columns, sorted, means]: [u64; 3]) -> Cost {
    let rows: u64 = plan.reads.iter().map(|read| u64::from(read.rows_bound)).sum();
    let groups = u64::from(star.max_groups);
    // Two keys are sorted by, and once the groups' last rows come to the front.
    let passes = sorted.div_ceil(BITS_PASS) + 2;
    // Three hops move every column in a pass; a scan multiplies each once for every doubling of the rows.
    let doublings = u64::from(u64::BITS - rows.leading_zeros());
    let moved = columns.saturating_mul(3 * passes + doublings);
    let products = rows.saturating_mul(moved.saturating_add(PRODUCTS_PASS * passes + 2 * sorted));
    // Which of the carrier's rows count is proven bit by bit of key and group, where there is another table.
    let carrier = plan.reads.first().filter(|_| plan.reads.len() > 1).map_or(0, |read| u64::from(read.rows_bound));
    let products = products.saturating_add(carrier.saturating_mul(2 * sorted + PRODUCTS_LED));
    let shown = WORDS_SHOWN * (1 + u64::try_from(star.aggregates.len()).unwrap_or(0));
    let held = |read: &Read| u64::from(read.rows_bound).saturating_mul(u64::try_from(read.values.len()).unwrap_or(0));
    let held = plan.reads.iter().map(held).fold(0, u64::saturating_add).saturating_mul(WORDS_HELD);
    let words = groups.saturating_mul(WORDS_MEAN * means + shown).saturating_add(held);
    let checks = passes + 2 + products / DUE + words / DUE;
    let bytes = cost.bytes.saturating_add(rows.saturating_mul(sorted * BYTES_BIT));
    let bytes =
        bytes.saturating_add(words.saturating_mul(BYTES_WORD)).saturating_add(checks.saturating_mul(BYTES_CHECK));
    let rounds = cost.rounds.saturating_add(checks.saturating_mul(ROUNDS_CHECK));
    let millis = rounds / ROUNDS_MILLI + bytes / BYTES_MILLI + products / PRODUCTS_MILLI + words / WORDS_MILLI;
    Cost { bytes, rounds, millis }
}
