//! Circuit PSI against the plain answer: sizes, functions, thresholds, duplicates, and parties that do not agree.

use mpc_block::{Aes, Block};
use mpc_core::{Abort, Blame, Context, memory};
use mpc_psi::Mode;
use mpc_psi::circuit::{Answer, Bound, Column, Function, Input, Parameters, Refused, Side, run};
use mpc_psi::element::{Builder, Elements, Part};

/// Wide enough for every column of these tests.
const WIDE: Bound = Bound { each: 1 << 20, total: 1 << 34 };

/// Keys and columns in the clear.
#[derive(Clone)]
struct Plain {
    keys: Vec<u64>,
    columns: Vec<Vec<i64>>,
}

impl Plain {
    /// Keys `first..first + count` with two columns, some of whose values are negative.
    fn new(first: u64, count: u64) -> Self {
        let keys: Vec<u64> = (first..first + count).collect();
        let column = |by: i64| keys.iter().map(|key| (*key as i64 * by) % 1009 - 400).collect();
        let columns = vec![column(7), column(-13)];
        Self { keys, columns }
    }

    fn side(&self) -> Side {
        Side { keys: self.keys.len(), columns: vec![WIDE; self.columns.len()] }
    }

    fn input(&self) -> Input {
        let aes = Aes::new(Block::from_u128(99));
        let mut keys: Vec<Block> = self.keys.iter().map(|key| Block::from_u128(u128::from(*key))).collect();
        aes.encrypt_all(&mut keys);
        Input::new(keys, self.columns.clone()).unwrap()
    }
}

/// The functions in the clear.
fn reference(receiver: &Plain, sender: &Plain, functions: &[Function]) -> Vec<i64> {
    let matches: Vec<(usize, usize)> = (0..receiver.keys.len())
        .filter_map(|at| sender.keys.iter().position(|key| *key == receiver.keys[at]).map(|other| (at, other)))
        .collect();
    let value = |function: &Function, (at, other): (usize, usize)| match *function {
        Function::Cardinality => 1,
        Function::Receiver(column) => receiver.columns[column][at],
        Function::Sender(column) => sender.columns[column][other],
        Function::Product(x, y) => receiver.columns[x][at] * sender.columns[y][other],
    };
    functions.iter().map(|function| matches.iter().map(|pair| value(function, *pair)).sum()).collect()
}

const ALL: [Function; 7] = [
    Function::Product(1, 0),
    Function::Cardinality,
    Function::Receiver(1),
    Function::Sender(0),
    Function::Receiver(0),
    Function::Sender(1),
    Function::Product(0, 1),
];

type Outcome = Result<Option<Answer>, Abort>;

/// Runs both parties in the given contexts.
async fn together(contexts: Vec<Context>, parameters: [&Parameters; 2], inputs: [Input; 2]) -> [Outcome; 2] {
    let parties = contexts.into_iter().zip(parameters).zip(inputs).map(|((mut ctx, parameters), input)| {
        let parameters = parameters.clone();
        tokio::spawn(async move { run(&mut ctx, &parameters, &input).await })
    });
    let mut parties = parties.collect::<Vec<_>>().into_iter();
    let (zero, one) = (parties.next().unwrap(), parties.next().unwrap());
    [zero.await.expect("no panic"), one.await.expect("no panic")]
}

/// What the receiver gets; `sides` are the receiver's and the sender's.
async fn answer(parameters: &Parameters, sides: [&Plain; 2]) -> Answer {
    let contexts = memory::contexts(memory::network(2), [31; 32]);
    let inputs = [0, 1].map(|party| sides[usize::from(party != parameters.receiver())].input());
    let mut outcomes = together(contexts, [parameters, parameters], inputs).await;
    assert_eq!(outcomes[1 - parameters.receiver()], Ok(None), "the sender learns nothing");
    std::mem::replace(&mut outcomes[parameters.receiver()], Ok(None)).unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_function_equals_the_plain_answer_at_every_size() {
    let cases =
        [(1, 1, 0), (1, 1, 1), (2, 3, 1), (2, 1, 0), (1000, 10, 10), (3, 2000, 3), (1000, 1000, 333), (700, 700, 700)];
    for (at, (receiver, sender, common)) in cases.into_iter().enumerate() {
        let sides = [Plain::new(0, receiver), Plain::new(receiver - common, sender)];
        let parameters = Parameters::new(at % 2, sides[0].side(), sides[1].side(), ALL.to_vec(), None).unwrap();
        let due = Answer::Values(reference(&sides[0], &sides[1], &ALL));
        assert_eq!(answer(&parameters, [&sides[0], &sides[1]]).await, due, "{receiver}, {sender}, {common}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_keys_are_counted_and_summed_in_either_mode() {
    let sides = [Plain::new(0, 1 << 14), Plain::new(11_000, 1 << 14)];
    let functions = vec![Function::Cardinality, Function::Sender(0)];
    let common = (1 << 14) - 11_000;
    let sum = sides[1].columns[0][..common].iter().sum();
    for mode in [Mode::Fast, Mode::LowCommunication] {
        let parameters = Parameters::new(1, sides[0].side(), sides[1].side(), functions.clone(), None).unwrap();
        let got = answer(&parameters.in_mode(mode), [&sides[0], &sides[1]]).await;
        assert_eq!(got, Answer::Values(vec![common as i64, sum]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_side_without_keys_matches_nothing() {
    for (receiver, sender) in [(0, 0), (0, 5), (5, 0)] {
        let sides = [Plain::new(0, receiver), Plain::new(0, sender)];
        for (threshold, due) in
            [(None, Answer::Values(vec![0; 7])), (Some(0), Answer::Values(vec![0; 7])), (Some(1), Answer::Below)]
        {
            let parameters = Parameters::new(0, sides[0].side(), sides[1].side(), ALL.to_vec(), threshold).unwrap();
            assert_eq!(answer(&parameters, [&sides[0], &sides[1]]).await, due);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fewer_matches_than_the_threshold_reveal_nothing() {
    let sides = [Plain::new(0, 60), Plain::new(40, 50)];
    let due = Answer::Values(reference(&sides[0], &sides[1], &ALL));
    for (threshold, reached) in [(0, true), (1, true), (19, true), (20, true), (21, false), (i64::MAX as u64, false)] {
        let parameters = Parameters::new(1, sides[0].side(), sides[1].side(), ALL.to_vec(), Some(threshold)).unwrap();
        let got = answer(&parameters, [&sides[0], &sides[1]]).await;
        assert_eq!(got, if reached { due.clone() } else { Answer::Below }, "{threshold}");
    }
    // The answers that stay hidden stay so where the cardinality is not asked for.
    let parameters = Parameters::new(0, sides[0].side(), sides[1].side(), vec![Function::Sender(1)], Some(21)).unwrap();
    assert_eq!(answer(&parameters, [&sides[0], &sides[1]]).await, Answer::Below);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_function_is_told_by_its_own_count() {
    // Of 20 common keys 13 have a value at the receiver and 8 at the sender; a column of ones says which.
    let ones = |plain: Plain, every: u64| {
        let has = plain.keys.iter().map(|key| i64::from(key % 20 < every)).collect();
        Plain { columns: vec![plain.columns[0].clone(), has], ..plain }
    };
    let sides = [ones(Plain::new(0, 60), 13), ones(Plain::new(40, 50), 8)];
    let functions = [Function::Product(0, 0), Function::Receiver(0), Function::Sender(0), Function::Cardinality];
    let counts = vec![Function::Cardinality, Function::Receiver(1), Function::Sender(1), Function::Cardinality];
    let values = reference(&sides[0], &sides[1], &functions);
    for (threshold, told) in [(0, 4), (8, 4), (9, 3), (13, 3), (14, 2), (20, 2), (21, 0)] {
        let due = [20, 13, 8, 20].iter().zip(&values).map(|(count, value)| (*count >= threshold).then_some(*value));
        let due: Vec<Option<i64>> = due.collect();
        assert_eq!(due.iter().flatten().count(), told);
        let plain = Parameters::new(1, sides[0].side(), sides[1].side(), functions.to_vec(), Some(threshold as u64));
        let parameters = plain.unwrap().told_by(counts.clone()).unwrap();
        assert_eq!(answer(&parameters, [&sides[0], &sides[1]]).await, Answer::Each(due), "{threshold}");
    }
    let none = Plain::new(0, 0);
    let plain = Parameters::new(0, none.side(), sides[1].side(), functions.to_vec(), Some(1)).unwrap();
    let parameters = plain.told_by(vec![Function::Cardinality; 4]).unwrap();
    assert_eq!(answer(&parameters, [&none, &sides[1]]).await, Answer::Each(vec![None; 4]));
}

/// Rows with repeated and NULL keys, and values some of which are NULL.
struct Rows {
    keys: Vec<Option<i64>>,
    values: Vec<i64>,
    valid: Vec<bool>,
}

impl Rows {
    fn new(count: i64, by: i64) -> Self {
        Self {
            keys: (0..count).map(|row| (row % 11 != 3).then_some(row * by % 37)).collect(),
            values: (0..count).map(|row| row * 5 - 60).collect(),
            valid: (0..count).map(|row| row % 4 != 1).collect(),
        }
    }

    fn elements(&self, ctx: &Context) -> Elements {
        let mut builder = Builder::new(&ctx.session());
        self.keys.iter().for_each(|key| builder.row(&[key.map_or(Part::Null, Part::Int)]));
        builder.finish()
    }

    fn input(&self, ctx: &Context) -> Input {
        let column = Column { values: &self.values, valid: Some(&self.valid) };
        Input::by_key(&self.elements(ctx), &[column]).unwrap()
    }
}

/// The join row by row: COUNT(*), SUM(x), COUNT(x), SUM(y), SUM(x * y).
fn joined(x: &Rows, y: &Rows) -> Vec<i64> {
    let mut out = vec![0; 5];
    for i in 0..x.keys.len() {
        for j in (0..y.keys.len()).filter(|j| x.keys[i].is_some() && x.keys[i] == y.keys[*j]) {
            out[0] += 1;
            out[1] += if x.valid[i] { x.values[i] } else { 0 };
            out[2] += i64::from(x.valid[i]);
            out[3] += if y.valid[j] { y.values[j] } else { 0 };
            out[4] += if x.valid[i] && y.valid[j] { x.values[i] * y.values[j] } else { 0 };
        }
    }
    out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn duplicates_and_nulls_count_as_in_a_join_of_sql() {
    let rows = [Rows::new(150, 7), Rows::new(90, 5)];
    let contexts = memory::contexts(memory::network(2), [32; 32]);
    let inputs = [0, 1].map(|party| rows[party].input(&contexts[party]));
    // The sizes that the plan names are bounds: random keys fill up.
    let sizes = inputs.each_ref().map(|input| input.keys().len() + 9);
    let [zero, one] = inputs;
    let inputs = [zero.padded(sizes[0], &contexts[0]).unwrap(), one.padded(sizes[1], &contexts[1]).unwrap()];
    let side = |keys| Side { keys, columns: vec![WIDE; 3] };
    let (rows_of, sum, count) = (Input::ROWS, Input::sum_of(0), Input::count_of(0));
    let functions = [(rows_of, rows_of), (sum, rows_of), (count, rows_of), (rows_of, sum), (sum, sum)];
    let functions = functions.map(|(x, y)| Function::Product(x, y)).to_vec();
    let parameters = Parameters::new(0, side(sizes[0]), side(sizes[1]), functions, None).unwrap();
    let outcomes = together(contexts, [&parameters, &parameters], inputs).await;
    assert_eq!(outcomes, [Ok(Some(Answer::Values(joined(&rows[0], &rows[1])))), Ok(None)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_input_that_contradicts_the_parameters_is_this_partys_fault() {
    let side = Plain::new(0, 4);
    let narrow = Side { keys: 4, columns: vec![Bound { each: 1, total: 4 }, WIDE] };
    let other = Side { keys: 5, columns: vec![WIDE; 2] };
    for (shape, why) in [(narrow, Refused::Range), (other, Refused::Shape)] {
        let parameters = Parameters::new(0, shape, side.side(), vec![Function::Cardinality], None).unwrap();
        let contexts = memory::contexts(memory::network(2), [33; 32]);
        let [receiver, sender] = together(contexts, [&parameters, &parameters], [side.input(), side.input()]).await;
        let abort = receiver.unwrap_err();
        assert_eq!((abort.blame, abort.why), (Blame::Local, why.to_string()));
        assert_eq!(abort.step, "circuit: input");
        assert_eq!(sender.unwrap_err().blame, Blame::Network(0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parties_that_disagree_on_parameters_or_session_do_not_meet() {
    let (side, wider) = (Plain::new(0, 6), Bound { each: 1 << 21, total: 1 << 34 });
    let make = |receiver, columns: Vec<Bound>, functions: &[Function], threshold| {
        let shape = Side { keys: 6, columns };
        Parameters::new(receiver, shape, side.side(), functions.to_vec(), threshold).unwrap()
    };
    let cardinality = [Function::Cardinality];
    let mine = make(0, vec![WIDE; 2], &cardinality, None);
    let theirs = [
        make(1, vec![WIDE; 2], &cardinality, None),
        make(0, vec![WIDE, wider], &cardinality, None),
        make(0, vec![WIDE; 2], &[Function::Sender(0)], None),
        make(0, vec![WIDE; 2], &cardinality, Some(1)),
        mine.clone().in_mode(Mode::LowCommunication),
        make(0, vec![WIDE; 2], &cardinality, Some(1)).told_by(cardinality.to_vec()).unwrap(),
    ];
    for theirs in &theirs {
        let contexts = memory::contexts(memory::network(2), [34; 32]);
        let outcomes = together(contexts, [&mine, theirs], [side.input(), side.input()]).await;
        assert!(outcomes.iter().all(is_blamed), "{outcomes:?}");
    }
    let mut ends = memory::network(2).into_iter();
    let mut context =
        |session, me| Context::new([session; 32], me, 2, ends.next().unwrap(), Box::new(|out: &mut [u8]| out.fill(7)));
    let contexts = vec![context(1, 0), context(2, 1)];
    let outcomes = together(contexts, [&mine, &mine], [side.input(), side.input()]).await;
    assert!(outcomes.iter().all(is_blamed), "{outcomes:?}");
}

fn is_blamed(outcome: &Outcome) -> bool {
    outcome.as_ref().is_err_and(|abort| abort.blame != Blame::Local)
}
