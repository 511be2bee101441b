//! `heqi init`: an organisation, a genesis, a node's folder; what is not given is asked for.

use std::{
    io::{IsTerminal, Write},
    path::PathBuf,
};

use base_types::{
    OrgId, PersonId,
    fault::{Code, Fault},
};
use clap::{Args, Subcommand};
use serde_json::json;

use super::{Show, now_ms, password};
use crate::{
    config::{Folder, bad, write_file},
    init::{self, Card, NewOrg},
    renew::{self, Renewed},
};

#[derive(Args)]
pub struct InitArgs {
    #[command(subcommand)]
    step: Option<Step>,
}

#[derive(Subcommand)]
enum Step {
    /// 1. Make this organisation's keys, certificates and card.
    Org(OrgArgs),
    /// 2. Make the consortium's genesis from all cards.
    Genesis(GenesisArgs),
    /// 3. Put the genesis into this organisation's node folder.
    Node(NodeArgs),
    /// Later: make another key and certificate of the node; the old ones are kept aside.
    Renew(RenewArgs),
    /// Later: make a person's key file; `heqi chain member` registers it.
    Person(PersonArgs),
}

#[derive(Args, Default)]
struct OrgArgs {
    /// The organisation's identifier, such as `health`.
    #[arg(long)]
    org: Option<String>,
    /// Its name in Chinese.
    #[arg(long)]
    name_zh: Option<String>,
    /// Its name in English.
    #[arg(long)]
    name_en: Option<String>,
    /// Control plane address.
    #[arg(long)]
    control: Option<String>,
    /// Data link address.
    #[arg(long)]
    data: Option<String>,
    /// A person and roles, such as `analyst=analyst,owner`; may be repeated.
    #[arg(long = "person")]
    people: Vec<String>,
    /// The node's folder.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Where people's key files go; hand them over and delete them here.
    #[arg(long)]
    people_dir: Option<PathBuf>,
    /// A file with the password of the node's and the CA's key.
    #[arg(long)]
    password_file: Option<PathBuf>,
    /// A file with the first password of the people's keys.
    #[arg(long)]
    people_password_file: Option<PathBuf>,
}

#[derive(Args)]
struct GenesisArgs {
    /// The consortium's name.
    #[arg(long)]
    name: String,
    /// Every organisation's card.
    #[arg(long = "card", required = true)]
    cards: Vec<PathBuf>,
    /// The chain's first moment, in milliseconds since 1970; the same for all. Now, when not given.
    #[arg(long)]
    time: Option<u64>,
    /// Time between blocks, in milliseconds.
    #[arg(long, default_value_t = 200)]
    interval: u32,
    /// The file to write.
    #[arg(long, short)]
    out: PathBuf,
}

#[derive(Args)]
struct NodeArgs {
    /// The node's folder, made by `heqi init org`.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    /// The genesis file.
    #[arg(long)]
    genesis: PathBuf,
    /// Every organisation's card.
    #[arg(long = "card", required = true)]
    cards: Vec<PathBuf>,
    /// The three computing organisations, or two where there is no third.
    #[arg(long, value_delimiter = ',', required = true)]
    compute: Vec<OrgId>,
    /// The portal's address.
    #[arg(long, default_value = "127.0.0.1:7300")]
    portal: String,
    /// Purposes that queries may name.
    #[arg(long, value_delimiter = ',', default_value = "health-statistics")]
    purposes: Vec<String>,
}

#[derive(Args)]
struct RenewArgs {
    /// The node's folder.
    #[arg(long, default_value = ".", value_name = "DIR")]
    dir: PathBuf,
    /// The CA's key file, where it is no longer in the folder.
    #[arg(long, value_name = "FILE")]
    ca_key: Option<PathBuf>,
    /// A file with the password of the node's and the CA's key.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

#[derive(Args)]
struct PersonArgs {
    /// The person, such as `health/owner`.
    person: PersonId,
    /// Where the key file goes.
    #[arg(long, default_value = "people", value_name = "DIR")]
    people_dir: PathBuf,
    /// A file with the first password of the key.
    #[arg(long, value_name = "FILE")]
    people_password_file: Option<PathBuf>,
}

pub fn run(args: InitArgs, show: Show) -> Result<(), Fault> {
    match args.step {
        None => org(OrgArgs::default(), show),
        Some(Step::Org(args)) => org(args, show),
        Some(Step::Genesis(args)) => genesis(&args, show),
        Some(Step::Node(args)) => node(&args, show),
        Some(Step::Renew(args)) => renew(&args, show),
        Some(Step::Person(args)) => new_person(&args, show),
    }
}

/// What was given, or the answer to a question at the terminal, or the proposal.
fn ask(given: Option<String>, question: &str, proposal: &str) -> Result<String, Fault> {
    if let Some(given) = given {
        return Ok(given);
    }
    if !std::io::stdin().is_terminal() {
        return if proposal.is_empty() {
            Err(Fault::new(Code::BadRequest, "init", format!("give: {question}")))
        } else {
            Ok(proposal.to_owned())
        };
    }
    eprint!("{question} [{proposal}]: ");
    let _ = std::io::stderr().flush();
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(|e| Fault::new(Code::BadRequest, "init", e.to_string()))?;
    let line = line.trim();
    Ok(if line.is_empty() { proposal.to_owned() } else { line.to_owned() })
}

fn person(text: &str) -> Result<(String, Vec<String>), Fault> {
    let (name, roles) = text
        .split_once('=')
        .ok_or_else(|| Fault::new(Code::BadRequest, "init org", format!("'{text}' is not name=role,role")))?;
    Ok((name.to_owned(), roles.split(',').map(ToOwned::to_owned).collect()))
}

fn org(args: OrgArgs, show: Show) -> Result<(), Fault> {
    let id = ask(args.org, show.pick("组织标识（小写字母）", "organisation's identifier (lower case)"), "")?;
    let org = OrgId::new(id).map_err(|e| Fault::new(Code::BadRequest, "init org", e.to_string()))?;
    let name_zh = ask(args.name_zh, show.pick("中文名称", "name in Chinese"), org.as_str())?;
    let name_en = ask(args.name_en, show.pick("英文名称", "name in English"), org.as_str())?;
    let control = ask(args.control, show.pick("控制面地址", "control plane address"), "127.0.0.1:7100")?;
    let data = ask(args.data, show.pick("数据链路地址", "data link address"), "127.0.0.1:7200")?;
    let dir = ask(args.dir.map(|d| d.display().to_string()), show.pick("节点目录", "node folder"), org.as_str())?;
    let folder = Folder(PathBuf::from(dir));
    let people_folder = args.people_dir.unwrap_or_else(|| folder.0.join("people"));
    let node_password = password(args.password_file.as_deref(), "HEQI_NODE_PASSWORD", "node")?;
    let people_password = if args.people.is_empty() {
        base_secret::Password::new(String::new())
    } else {
        password(args.people_password_file.as_deref(), "HEQI_PASSWORD", "people")?
    };
    let new = NewOrg {
        org,
        name_zh,
        name_en,
        addresses: [control, data, String::new()],
        people: args.people.iter().map(|p| person(p)).collect::<Result<_, _>>()?,
        people_folder: &people_folder,
        now: now_ms(),
    };
    let card = init::organisation(&folder, &new, &node_password, &people_password)?;
    let value = json!({"org": card.org, "card": folder.card(), "people": card.people});
    show.value(&value, |_| {
        let path = folder.card();
        let path = path.display();
        let zh = format!("已建立。把 {path} 交给其他组织，收齐后运行 `heqi init genesis`。");
        let en = format!("Done. Give {path} to the other organisations; with all cards run `heqi init genesis`.");
        show.pick(&zh, &en).to_owned()
    });
    Ok(())
}

fn cards(paths: &[PathBuf]) -> Result<Vec<Card>, Fault> {
    let read = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).map_err(|e| bad(path, &e))?;
        serde_json::from_str(&text).map_err(|e| bad(path, &e))
    };
    paths.iter().map(read).collect()
}

fn genesis(args: &GenesisArgs, show: Show) -> Result<(), Fault> {
    let genesis = init::genesis(&args.name, args.time.unwrap_or_else(now_ms), args.interval, &cards(&args.cards)?)?;
    write_file(&args.out, &base_wire::Encode::to_wire(&genesis), false)?;
    let value = json!({"genesis": genesis.digest(), "file": args.out});
    show.value(&value, |_| {
        let digest = genesis.digest();
        let zh = format!("创世哈希 {digest}。请各方核对并记下它，然后运行 `heqi init node`。");
        let en = format!("Genesis hash {digest}. Let everybody compare and keep it, then run `heqi init node`.");
        show.pick(&zh, &en).to_owned()
    });
    Ok(())
}

fn node(args: &NodeArgs, show: Show) -> Result<(), Fault> {
    let folder = Folder(args.dir.clone());
    let bytes = std::fs::read(&args.genesis).map_err(|e| bad(&args.genesis, &e))?;
    let genesis = base_wire::Decode::from_wire(&bytes).map_err(|e| bad(&args.genesis, &e))?;
    let own = cards(&[folder.card()])?;
    let me = own.first().map(|c| c.org.clone());
    let me = me.ok_or_else(|| Fault::new(Code::NotFound, "init node", "run `heqi init org` first"))?;
    let cards = cards(&args.cards)?;
    init::node(&folder, &genesis, &cards, &me, &args.portal, &args.compute, &args.purposes)?;
    let value = json!({"org": me, "config": folder.config(), "genesis": genesis.digest()});
    show.value(&value, |_| {
        let path = folder.0.display();
        let zh = format!("节点目录就绪。运行 `heqi node --dir {path}`。");
        let en = format!("The node's folder is ready. Run `heqi node --dir {path}`.");
        show.pick(&zh, &en).to_owned()
    });
    Ok(())
}

fn renew(args: &RenewArgs, show: Show) -> Result<(), Fault> {
    let folder = Folder(args.dir.clone());
    let ca_key = args.ca_key.clone().unwrap_or_else(|| folder.ca_key());
    let password = password(args.password_file.as_deref(), "HEQI_NODE_PASSWORD", "node, CA")?;
    let Renewed { org, key, aside } = renew::renew(&folder, &ca_key, &password, now_ms())?;
    let hex = key.to_hex();
    let value = json!({"org": org, "member": format!("{org}/node"), "key": hex, "moved_to": aside});
    show.value(&value, |_| {
        let (member, propose) = (
            format!("heqi chain member {org}/node --public-key {hex} --role node"),
            format!("heqi chain propose --replace-key {org}={hex}"),
        );
        let zh = format!("节点新公钥 {hex}\n下次启动时生效。由本组织管理员登记并提议：\n  {member}\n  {propose}");
        let en = format!(
            "The node's new key is {hex}\nIt takes effect at the next start. An administrator of the organisation \
             registers and proposes it:\n  {member}\n  {propose}"
        );
        show.pick(&zh, &en).to_owned()
    });
    Ok(())
}

fn new_person(args: &PersonArgs, show: Show) -> Result<(), Fault> {
    let file = init::person_file(&args.people_dir, &args.person);
    if file.exists() {
        return Err(Fault::new(Code::BadRequest, "init person", format!("{} is there already", file.display())));
    }
    let password = password(args.people_password_file.as_deref(), "HEQI_PASSWORD", args.person.as_str())?;
    let key = init::person_key(&args.people_dir, &args.person, &password)?.to_hex();
    let value = json!({"person": args.person, "key": key, "file": file});
    show.value(&value, |_| {
        let member = format!("heqi chain member {} --public-key {key} --role ROLE", args.person);
        let zh = format!("公钥 {key}\n由本组织管理员登记：{member}");
        let en = format!("The public key is {key}\nAn administrator of the organisation registers it: {member}");
        show.pick(&zh, &en).to_owned()
    });
    Ok(())
}
