//! The store against the faults it must tell, and its upkeep while threads use it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use crate::{Batch, Durability, Store, StoreError, StoreOptions};

fn put(store: &Store, key: &[u8], value: &[u8]) {
    let mut batch = Batch::new();
    batch.put("a", key, value);
    store.write(batch, Durability::Synced).expect("written");
}

/// `count` rows whose values do not compress away.
pub(crate) fn fill(store: &Store, count: u32) {
    let mut batch = Batch::new();
    for i in 0..count {
        batch.put("a", i.to_be_bytes(), value(i));
    }
    store.write(batch, Durability::Buffered).expect("written");
}

fn value(i: u32) -> Vec<u8> {
    let mut word = i.wrapping_mul(2_654_435_761) | 1;
    let mut next = || {
        word ^= word << 13;
        word ^= word >> 17;
        word ^= word << 5;
        (word >> 8) as u8
    };
    (0..200).map(|_| next()).collect()
}

pub(crate) fn tables(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).expect("folder").map(|file| file.expect("file").path());
    let mut tables: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "sst")).collect();
    tables.sort();
    tables
}

#[test]
fn rows_come_back_in_order_after_reopening_and_a_second_opener_is_told() {
    let folder = tempfile::tempdir().expect("folder");
    let store = Store::open(folder.path(), &["a", "b"]).expect("opened");
    for key in [&b"k2"[..], b"k1", b"l", b"k3"] {
        put(&store, key, key);
    }
    assert_eq!(Store::open(folder.path(), &["a"]).err(), Some(StoreError::InUse));
    drop(store);
    let store = Store::open(folder.path(), &["a"]).expect("opened again");
    let keys: Vec<_> = store.rows("a", b"k", b"k2", 9).expect("read").into_iter().map(|r| r.0).collect();
    assert_eq!(keys, [b"k2".to_vec(), b"k3".to_vec()]);
    assert_eq!(store.last("a"), Ok(Some((b"l".to_vec(), b"l".to_vec()))));
    assert_eq!(store.get("b", b"k1"), Ok(None));
    let many = store.get_many("a", &[b"l", b"x", b"k1", b"l"]).expect("read");
    assert_eq!(many, [Some(b"l".to_vec()), None, Some(b"k1".to_vec()), Some(b"l".to_vec())]);
}

#[test]
fn a_batch_is_whole_or_nothing() {
    let folder = tempfile::tempdir().expect("folder");
    let store = Store::open(folder.path(), &["a"]).expect("opened");
    let (mut batch, mut more) = (Batch::new(), Batch::new());
    batch.put("a", *b"x", *b"1");
    more.put("missing", *b"y", *b"2");
    batch.extend(more);
    assert_eq!(batch.len(), 2);
    assert_eq!(store.write(batch, Durability::Synced), Err(StoreError::NoColumn("missing")));
    assert_eq!(store.get("a", b"x"), Ok(None));
}

/// Every file that RocksDB begins from now on lies on a device that is always full.
fn fill_disk(folder: &Path) -> Vec<PathBuf> {
    let number = |name: std::ffi::OsString| name.to_str()?.split('.').next()?.parse::<u64>().ok();
    let files = fs::read_dir(folder).expect("folder").filter_map(|file| number(file.ok()?.file_name()));
    let next = files.max().expect("files") + 1;
    let names = (next..next + 32).flat_map(|n| [format!("{n:06}.log"), format!("{n:06}.sst")]);
    let links: Vec<_> = names.map(|name| folder.join(name)).collect();
    links.iter().for_each(|link| std::os::unix::fs::symlink("/dev/full", link).expect("linked"));
    links
}

#[test]
fn a_full_disk_is_told_and_what_was_written_before_is_kept() {
    let folder = tempfile::tempdir().expect("folder");
    let store = Store::open(folder.path(), &["a"]).expect("opened");
    put(&store, b"kept", b"1");
    let links = fill_disk(folder.path());
    let megabyte = |i: u32| {
        let mut batch = Batch::new();
        batch.put("a", i.to_be_bytes(), vec![i as u8; 1 << 20]);
        store.write(batch, Durability::Buffered)
    };
    let first = (0..300).find_map(|i| megabyte(i).err().map(|fault| (i, fault)));
    let (reached, fault) = first.expect("the log is begun anew at last");
    assert_eq!(fault, StoreError::DiskFull);
    assert_eq!(megabyte(reached), Err(StoreError::DiskFull), "and stays told");
    drop(store);
    for link in links.iter().filter(|link| link.is_symlink()) {
        fs::remove_file(link).expect("freed");
    }
    let store = Store::open(folder.path(), &["a"]).expect("opened again");
    assert_eq!(store.get("a", b"kept"), Ok(Some(b"1".to_vec())));
    assert_eq!(store.get("a", &(reached - 1).to_be_bytes()).expect("read").map(|v| v.len()), Some(1 << 20));
    assert_eq!(store.get("a", &reached.to_be_bytes()), Ok(None));
}

#[test]
fn damaged_files_are_refused_not_skipped() {
    let folder = tempfile::tempdir().expect("folder");
    let store = Store::open(folder.path(), &["a"]).expect("opened");
    put(&store, b"x", &[7; 4096]);
    drop(store);
    assert_eq!(Store::examine(folder.path()), Ok(()));
    fs::write(folder.path().join("CURRENT"), b"MANIFEST-999999\n").expect("damaged");
    assert!(Store::examine(folder.path()).is_err());
    assert!(Store::open(folder.path(), &["a"]).is_err());
}

#[test]
fn a_flipped_byte_of_a_table_is_told_and_no_false_row_is_served() {
    let folder = tempfile::tempdir().expect("folder");
    let store = Store::open(folder.path(), &["a"]).expect("opened");
    fill(&store, 400);
    store.flush().expect("flushed");
    assert_eq!(store.verify(), Ok(()));
    drop(store);
    let tables = tables(folder.path());
    let [table] = tables.as_slice() else { panic!("one table: {tables:?}") };
    let whole = fs::read(table).expect("read");
    for at in (100..whole.len()).step_by(whole.len() / 12) {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x10;
        fs::write(table, &flipped).expect("damaged");
        let Ok(store) = Store::open(folder.path(), &["a"]) else { continue };
        // The first 400 rows of 200 bytes fill all but the end of the table, where filter and index stand.
        if at < 60_000 {
            assert!(matches!(store.verify(), Err(StoreError::Damaged(_))), "byte {at}");
        }
        let mut told = 0;
        for i in 0..400u32 {
            match store.get("a", &i.to_be_bytes()) {
                Ok(found) => assert_eq!(found, Some(value(i)), "byte {at}"),
                Err(StoreError::Damaged(_)) => told += 1,
                Err(other) => panic!("byte {at}: {other}"),
            }
        }
        assert!(told > 0 || at >= 60_000, "byte {at}");
    }
    fs::write(table, &whole).expect("mended");
    assert_eq!(Store::open(folder.path(), &["a"]).expect("opened").verify(), Ok(()));
}

#[test]
fn verification_reads_the_disk_and_not_the_cache() {
    let folder = tempfile::tempdir().expect("folder");
    let store = Store::open(folder.path(), &["a"]).expect("opened");
    fill(&store, 400);
    store.flush().expect("flushed");
    assert_eq!(store.get("a", &7u32.to_be_bytes()), Ok(Some(value(7))));
    let table = tables(folder.path()).pop().expect("a table");
    let mut bytes = fs::read(&table).expect("read");
    bytes[1000] ^= 1;
    fs::write(&table, bytes).expect("damaged");
    assert!(matches!(store.verify(), Err(StoreError::Damaged(_))));
}

#[test]
fn a_disk_is_added_while_threads_read_and_write_and_tables_move_there() {
    let (folder, further) = (tempfile::tempdir().expect("folder"), tempfile::tempdir().expect("further"));
    let options = StoreOptions { folder_bytes: 0, ..StoreOptions::default() };
    let store = Store::open_with(folder.path(), &["a"], options).expect("opened");
    let end = AtomicBool::new(false);
    let work = |thread: u32| {
        let mut written = 0u32;
        // One row at least, also where the thread does not run before the end.
        loop {
            let key = [thread.to_be_bytes(), written.to_be_bytes()].concat();
            put(&store, &key, &value(written));
            assert_eq!(store.get("a", &key), Ok(Some(value(written))));
            written += 1;
            if end.load(Ordering::Relaxed) {
                return written;
            }
        }
    };
    let pause = || std::thread::sleep(std::time::Duration::from_millis(50));
    let (added, counts) = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3).map(|thread| scope.spawn(move || work(thread))).collect();
        let added = ["1", "2"].map(|name| {
            pause();
            store.add_path(&further.path().join(name), 1 << 30)
        });
        pause();
        end.store(true, Ordering::Relaxed);
        let counts: Vec<u32> = threads.into_iter().map(|thread| thread.join().expect("no fault")).collect();
        (added, counts)
    });
    assert_eq!(added, [Ok(()), Ok(())]);
    // Four young tables are what RocksDB merges of itself, and what it merges goes where there is room.
    for round in 0..5u32 {
        put(&store, &[9, 9, 9, round as u8], &value(round));
        store.flush().expect("flushed");
    }
    let moved = || ["1", "2"].iter().any(|name| !tables(&further.path().join(name)).is_empty());
    assert!(
        (0..200).any(|_| moved() || {
            pause();
            false
        }),
        "the tables moved"
    );
    assert!(store.disk_bytes().expect("counted") > 0);
    drop(store);
    let store = Store::open(folder.path(), &["a"]).expect("opened again, the paths are remembered");
    for (thread, count) in (0u32..).zip(counts) {
        let rows = store.rows("a", &thread.to_be_bytes(), &[], usize::MAX).expect("read");
        assert_eq!(rows.len(), count as usize);
    }
    assert_eq!(store.verify(), Ok(()));
}

#[test]
fn a_foreign_folder_is_not_added_and_a_known_one_changes_nothing() {
    let (folder, further) = (tempfile::tempdir().expect("folder"), tempfile::tempdir().expect("further"));
    let store = Store::open(folder.path(), &["a"]).expect("opened");
    put(&store, b"x", b"1");
    let full = further.path().join("full");
    fs::create_dir(&full).expect("made");
    fs::write(full.join("000001.sst"), b"another's").expect("written");
    assert!(matches!(store.add_path(&full, 1), Err(StoreError::Other(_))));
    for name in ["1", "2", "3", "1"] {
        assert_eq!(store.add_path(&further.path().join(name), 1 << 20), Ok(()));
    }
    assert!(matches!(store.add_path(&further.path().join("4"), 1), Err(StoreError::Other(_))));
    assert_eq!(store.get("a", b"x"), Ok(Some(b"1".to_vec())));
    assert_eq!(fs::read(full.join("000001.sst")).expect("read"), b"another's");
    assert_eq!(store.further().len(), 3);
    drop(store);
    assert_eq!(Store::further_of(folder.path()).expect("read").len(), 3);
    fs::write(folder.path().join("paths"), "no list\n").expect("damaged");
    assert!(matches!(Store::open(folder.path(), &["a"]), Err(StoreError::Damaged(_))));
}

#[test]
fn no_disk_is_added_within_the_store_nor_during_long_work_and_one_that_is_not_mounted_is_named() {
    let (folder, further) = (tempfile::tempdir().expect("folder"), tempfile::tempdir().expect("further"));
    let store = Store::open(folder.path(), &["a"]).expect("opened");
    put(&store, b"x", b"1");
    assert!(matches!(store.add_path(&folder.path().join("in"), 1), Err(StoreError::Other(_))));
    let disk = further.path().join("disk");
    {
        let _long = store.shared.care.read().expect("free");
        assert!(matches!(store.add_path(&disk, 1), Err(StoreError::Other(_))));
    }
    assert_eq!(store.add_path(&disk, 1 << 30), Ok(()));
    assert!(matches!(store.add_path(&disk.join("in"), 1), Err(StoreError::Other(_))));
    assert_eq!(store.further().len(), 1);
    let away = further.path().join("away");
    fs::rename(&disk, &away).expect("unmounted");
    assert!(matches!(Store::open(folder.path(), &["a"]), Err(StoreError::InUse)), "who holds it comes first");
    drop(store);
    let refused = Store::open(folder.path(), &["a"]).map(|_| ());
    assert!(matches!(&refused, Err(StoreError::Other(why)) if why.contains("mounted")), "{refused:?}");
    assert!(!disk.exists() && Store::examine(folder.path()).is_err());
    fs::rename(&away, &disk).expect("mounted");
    let store = Store::open(folder.path(), &["a"]).expect("opened");
    assert_eq!(store.get("a", b"x"), Ok(Some(b"1".to_vec())));
}

/// Something else stands where the list is to be written, as if there were no room for it.
#[test]
fn a_disk_that_could_not_be_added_can_be_once_there_is_room() {
    let (folder, further) = (tempfile::tempdir().expect("folder"), tempfile::tempdir().expect("further"));
    let store = Store::open(folder.path(), &["a"]).expect("opened");
    let (disk, other, full) = (further.path().join("1"), further.path().join("2"), further.path().join("full"));
    let blocked = folder.path().join("paths.new");
    fs::create_dir(&blocked).expect("made");
    assert!(store.add_path(&disk, 1 << 30).is_err());
    assert!(store.further().is_empty());
    fs::remove_dir(blocked).expect("removed");
    assert_eq!(store.add_path(&disk, 1 << 30), Ok(()));
    drop(store);

    // Of several that are given at the start none is added when one cannot be.
    fs::create_dir(&full).expect("made");
    fs::write(full.join("000001.sst"), b"another's").expect("written");
    let open = |paths: &[&PathBuf]| {
        let paths = paths.iter().map(|path| (PathBuf::clone(path), 1 << 30)).collect();
        Store::open_with(folder.path(), &["a"], StoreOptions { paths, ..StoreOptions::default() })
    };
    assert!(matches!(open(&[&other, &full]), Err(StoreError::Other(_))));
    assert_eq!(open(&[&other]).expect("opened").further().len(), 2);
}

#[test]
fn a_checkpoint_that_failed_leaves_no_half_of_a_copy() {
    let (folder, further) = (tempfile::tempdir().expect("folder"), tempfile::tempdir().expect("further"));
    let store = Store::open(folder.path(), &["a"]).expect("opened");
    store.add_path(&further.path().join("1"), 1 << 30).expect("added");
    put(&store, b"x", b"1");
    // A link that leads nowhere: a folder cannot take its name.
    let place = further.path().join("backup");
    std::os::unix::fs::symlink("nowhere", &place).expect("linked");
    assert!(store.checkpoint(&place).is_err());
    assert!(!further.path().join("backup.partial").exists());
    fs::remove_file(&place).expect("removed");
    assert_eq!(store.checkpoint(&place), Ok(()));
}

#[test]
fn a_checkpoint_is_a_store_of_its_own_with_or_without_further_disks() {
    for disks in [0, 1] {
        let (folder, further) = (tempfile::tempdir().expect("folder"), tempfile::tempdir().expect("further"));
        let paths = (0..disks).map(|n: u32| (further.path().join(n.to_string()), 1 << 30)).collect();
        let options = StoreOptions { folder_bytes: 0, paths, ..StoreOptions::default() };
        let store = Store::open_with(folder.path(), &["a", "b"], options).expect("opened");
        fill(&store, 300);
        store.flush().expect("flushed");
        put(&store, b"late", b"1");
        let backup = further.path().join("backup").join("now");
        store.checkpoint(&backup).expect("checkpoint");
        assert!(matches!(store.checkpoint(&backup), Err(StoreError::Other(_))));
        put(&store, b"late", b"2");
        let copy = Store::open(&backup, &["a", "b"]).expect("opened beside the first");
        assert_eq!(copy.get("a", b"late"), Ok(Some(b"1".to_vec())));
        assert_eq!(copy.rows("a", &[], &[], usize::MAX).expect("read").len(), 301);
        assert_eq!(copy.verify(), Ok(()));
        put(&copy, b"x", b"3");
        assert_eq!(store.get("a", b"x"), Ok(None));
    }
}
