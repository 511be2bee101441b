//! `heqi chain backup`, `add-disk`, `restore`, `verify` and `repair`: keeping a node's ledger, and getting it back.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use base_types::{
    Digest,
    fault::{Code, Fault},
};
use clap::Args;
use ledger_chain::{Audit, Backup, COLUMNS, ChainFault, audit, keep_silent};
use ledger_light::Genesis;
use ledger_store::{Store, StoreError};
use serde_json::{Value, json};

use super::{Local, Show, now_ms, text};
use crate::{
    config::{Folder, bad, unread, unwritten, write_file},
    files,
};

/// What a backup says of itself.
const ABOUT: &str = "backup.json";
/// Its first field.
const FORMAT: &str = "heqi-backup/1";
/// Where the copy of the store lies in it.
const STORE: &str = "ledger";

const GIB: u64 = 1 << 30;

#[derive(Args)]
pub struct BackupArgs {
    /// A new folder for the backup; on another disk than the node's, or to be copied there.
    folder: PathBuf,
    #[command(flatten)]
    local: Local,
}

#[derive(Args)]
pub struct AddDiskArgs {
    /// An empty folder on the further disk, made if it is missing; from then on the node needs it to start.
    folder: PathBuf,
    /// GiB that each of the ledger's columns puts there before it goes on to the next disk; the last disk takes the rest.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    gib: u64,
    #[command(flatten)]
    local: Local,
}

#[derive(Args)]
pub struct RestoreArgs {
    /// The folder of the backup.
    backup: PathBuf,
    /// The node's folder; the node must not run, and must have no ledger.
    #[arg(long, default_value = ".", value_name = "DIR")]
    dir: PathBuf,
}

#[derive(Args)]
pub struct StoppedArgs {
    /// The node's folder; the node must not run.
    #[arg(long, default_value = ".", value_name = "DIR")]
    dir: PathBuf,
}

fn told(step: &str) -> impl Fn(ChainFault) -> Fault + '_ {
    move |fault| fault.fault(step)
}

fn stored(step: &str) -> impl Fn(StoreError) -> Fault + '_ {
    move |fault| ChainFault::from(fault).fault(step)
}

/// What the node of a folder knows its operator by.
fn token(local: &Local) -> Result<String, Fault> {
    let path = Folder(local.dir.clone()).token();
    fs::read_to_string(&path).map_err(|why| unread(&path, &why))
}

/// Makes a backup through the running node, which goes on serving.
///
/// # Errors
/// [`Code::BadRequest`] when the folder holds something, the node's fault otherwise.
pub fn backup(args: &BackupArgs) -> Result<Value, Fault> {
    let step = "backup";
    let folder = std::path::absolute(&args.folder).map_err(|why| bad(&args.folder, &why))?;
    if folder.join(ABOUT).exists() || folder.join(STORE).exists() {
        return Err(Fault::new(Code::BadRequest, step, format!("{} holds a backup", folder.display())));
    }
    files::make_folder(&folder).map_err(|why| unwritten(&folder, &why))?;
    let token = token(&args.local)?;
    let store = folder.join(STORE);
    let store = store.to_str().ok_or_else(|| Fault::new(Code::BadRequest, step, "the path is no text"))?;
    let Backup { chain, height, block, time, state_root } = args.local.ledger()?.backup(token.trim(), store)?;
    let about = json!({
        "format": FORMAT,
        "genesis": chain,
        "height": height,
        "block": block,
        "block_time": time,
        "state_root": state_root,
        "made": now_ms(),
    });
    // Last, so that it stands for a whole backup.
    write_file(&folder.join(ABOUT), format!("{about:#}\n").as_bytes(), false)?;
    Ok(about)
}

/// Adds a disk through the running node, which goes on serving.
///
/// # Errors
/// [`Code::BadRequest`] for a folder that is not empty or one too many, the node's fault otherwise.
pub fn add_disk(args: &AddDiskArgs, show: Show) -> Result<Value, Fault> {
    let folder = std::path::absolute(&args.folder).map_err(|why| bad(&args.folder, &why))?;
    let path = folder.to_str().ok_or_else(|| Fault::new(Code::BadRequest, "add disk", "the path is no text"))?;
    let token = token(&args.local)?;
    let disks = args.local.ledger()?.add_disk(token.trim(), path, args.gib.saturating_mul(GIB))?;
    let disks: Vec<Value> =
        disks.iter().map(|(folder, bytes)| json!({ "folder": folder, "gib": bytes / GIB })).collect();
    Ok(json!({
        "added": path,
        "disks": disks,
        "next": show.pick(
            "请让该磁盘在节点启动之前挂载：缺少它，节点不启动",
            "see that the disk is mounted before the node starts: without it the node does not start",
        ),
    }))
}

/// What a backup says of itself: genesis, height and state root.
fn about(backup: &Path) -> Result<(Digest, u64, Digest), Fault> {
    let path = backup.join(ABOUT);
    let bytes = fs::read(&path).map_err(|why| bad(&path, &why))?;
    let value: Value = serde_json::from_slice(&bytes).map_err(|why| bad(&path, &why))?;
    if text(&value, "format") != FORMAT {
        return Err(bad(&path, &format!("it is no {FORMAT}")));
    }
    let digest = |name: &str| text(&value, name).parse::<Digest>().map_err(|why| bad(&path, &why));
    let height = value.get("height").and_then(Value::as_u64).ok_or_else(|| bad(&path, &"it has no height"))?;
    Ok((digest("genesis")?, height, digest("state_root")?))
}

/// Copies the files of a folder, all of them on the disk when this returns.
fn copy(from: &Path, to: &Path) -> Result<(), Fault> {
    let read = |why: std::io::Error| bad(from, &why);
    fs::create_dir_all(to).map_err(|why| unwritten(to, &why))?;
    for file in fs::read_dir(from).map_err(read)? {
        let file = file.map_err(read)?;
        if !file.file_type().map_err(read)?.is_file() {
            continue;
        }
        let target = to.join(file.file_name());
        fs::copy(file.path(), &target).map_err(|why| unwritten(&target, &why))?;
        File::open(&target).and_then(|copy| copy.sync_all()).map_err(|why| unwritten(&target, &why))?;
    }
    Ok(())
}

fn rename(from: &Path, to: &Path) -> Result<(), Fault> {
    files::rename(from, to).map_err(|why| unwritten(to, &why))
}

/// Reads everything in a store and proves it from the genesis.
fn proven(store: &Store, genesis: &Genesis, step: &str) -> Result<Audit, Fault> {
    store.verify().map_err(stored(step))?;
    audit(store, genesis).map_err(told(step))
}

fn shown(audit: &Audit, show: Show) -> Value {
    let Audit { chain, height, state_root, certified, headers, transactions, keys } = audit;
    json!({
        "genesis": chain,
        "height": height,
        "state_root": state_root,
        "certified": certified,
        "headers": headers,
        "transactions": transactions,
        "keys": keys,
        "verdict": show.pick("状态根经证明一致", "root proven equal"),
    })
}

/// Puts a backup into the folder of a node that has no ledger, once everything in it was proven.
///
/// # Errors
/// [`Code::BadRequest`] when there is a ledger, or the backup is the copy of one with further disks;
/// [`Code::StorageDamaged`] or [`Code::EvidenceInvalid`] when the backup does not hold; the node's folder is as before then.
pub fn restore(args: &RestoreArgs, show: Show) -> Result<Value, Fault> {
    let step = "restore";
    let node = Folder(args.dir.clone());
    let genesis = node.read_genesis()?;
    let target = node.ledger();
    if target.exists() && fs::remove_dir(&target).is_err() {
        let why = format!("{} is there; `heqi chain repair` moves it aside", target.display());
        return Err(Fault::new(Code::BadRequest, step, why));
    }
    let about = about(&args.backup)?;
    // A backup has none: the copy of a node's folder would write to, and delete from, the disks of that node.
    if !Store::further_of(&args.backup.join(STORE)).map_err(stored(step))?.is_empty() {
        let why = "it is a copy of a node's ledger with further disks, not what `heqi chain backup` makes";
        return Err(Fault::new(Code::BadRequest, step, why));
    }
    // The backup itself stays as it is: even to open a store writes to its folder.
    let draft = node.restoring();
    if draft.exists() {
        fs::remove_dir_all(&draft).map_err(|why| unwritten(&draft, &why))?;
    }
    let restored = copy(&args.backup.join(STORE), &draft).and_then(|()| examined(&draft, &genesis, about, step));
    let audit = match restored {
        Ok(audit) => audit,
        Err(fault) => {
            let _ = fs::remove_dir_all(&draft);
            return Err(fault);
        }
    };
    rename(&draft, &target)?;
    Ok(shown(&audit, show))
}

/// Proves the copy of a backup, and that it is what the backup says of itself. Whatever its validator signed since is not
/// in it, so it will be silent at first.
fn examined(draft: &Path, genesis: &Genesis, about: (Digest, u64, Digest), step: &str) -> Result<Audit, Fault> {
    if !draft.join("CURRENT").exists() {
        return Err(Fault::new(Code::StorageDamaged, step, "the backup has no store"));
    }
    let store = Store::open(draft, &COLUMNS).map_err(stored(step))?;
    let audit = proven(&store, genesis, step)?;
    if about != (audit.chain, audit.height, audit.state_root) {
        let why = format!("{ABOUT} names another chain, height or state root than the copy holds");
        return Err(Fault::new(Code::EvidenceInvalid, step, why));
    }
    keep_silent(&store).map_err(told(step))?;
    store.flush().map_err(stored(step))?;
    Ok(audit)
}

/// Proves the ledger of a stopped node.
///
/// # Errors
/// [`Code::NotFound`] without a ledger, [`Code::FolderInUse`] while the node runs, [`Code::StorageDamaged`] for the first
/// thing that does not hold.
pub fn verify(args: &StoppedArgs, show: Show) -> Result<Value, Fault> {
    let step = "verify the ledger";
    let node = Folder(args.dir.clone());
    let (genesis, path) = (node.read_genesis()?, node.ledger());
    if !path.join("CURRENT").exists() {
        return Err(Fault::new(Code::NotFound, step, format!("there is no ledger in {}", path.display())));
    }
    let store = Store::open(&path, &COLUMNS).map_err(stored(step))?;
    Ok(shown(&proven(&store, &genesis, step)?, show))
}

/// Moves a stopped node's ledger aside, so that its next start fetches everything from the peers.
///
/// # Errors
/// [`Code::NotFound`] without a ledger, [`Code::FolderInUse`] while the node runs.
pub fn repair(args: &StoppedArgs, show: Show) -> Result<Value, Fault> {
    let step = "repair the ledger";
    let node = Folder(args.dir.clone());
    node.read_config()?;
    let path = node.ledger();
    if !path.exists() {
        return Err(Fault::new(Code::NotFound, step, format!("there is no ledger in {}", path.display())));
    }
    // Whatever else is wrong with it is why it is moved.
    if let Err(StoreError::InUse) = Store::open(&path, &COLUMNS) {
        return Err(stored(step)(StoreError::InUse));
    }
    // A list that cannot be read names none.
    let disks = Store::further_of(&path).unwrap_or_default();
    let aside = (1u32..).map(|number| node.damaged(number)).find(|aside| !aside.exists());
    let aside = aside.ok_or_else(|| Fault::new(Code::Internal, step, "no name is free"))?;
    rename(&path, &aside)?;
    // What the validator signed is lost with it: a mark that keeps it silent comes before anything else. Where this is cut
    // off before, the node's start knows it by the folder that was moved.
    let store = Store::open(&path, &COLUMNS).map_err(stored(step))?;
    keep_silent(&store).map_err(told(step))?;
    store.flush().map_err(stored(step))?;
    let mut told = json!({
        "moved_to": aside.display().to_string(),
        "next": show.pick(
            "启动节点：它从其他节点取回账本，并在可能已签名的高度之前保持沉默",
            "start the node: it fetches the ledger from its peers, and is silent up to where it may have signed",
        ),
        "advice": show.pick(
            "若磁盘在断电时丢失了已确认的写入，请让该验证节点以新密钥重新加入（heqi init renew、heqi chain member、heqi chain propose）",
            "where the disk lost acknowledged writes in a power cut, let the validator rejoin with a fresh key \
             (heqi init renew, heqi chain member, heqi chain propose)",
        ),
    });
    if let Some(told) = told.as_object_mut().filter(|_| !disks.is_empty()) {
        told.insert("disks_left".into(), disks.iter().map(|(path, _)| path.display().to_string()).collect());
        let why = show.pick(
            "这些目录仍属于移开的账本：与它一起保留或删除；新账本需要时用空目录执行 heqi chain add-disk",
            "these folders belong to the ledger that was moved: keep or remove them with it, and give the new one empty \
             folders (heqi chain add-disk)",
        );
        told.insert("disks_advice".into(), why.into());
    }
    Ok(told)
}
