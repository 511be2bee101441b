//! How RocksDB is tuned: point reads by filter, one bounded cache for all columns, bounded memory for what is not yet in tables.

use std::path::{Path, PathBuf};

use rocksdb::{
    BlockBasedIndexType, BlockBasedOptions, Cache, ColumnFamilyDescriptor, DB, DBCompressionType, DBPath,
    DBRecoveryMode, DataBlockIndexType, Env, Options,
};

use crate::{StoreError, paths::Further};

/// Most bytes a column gathers in memory before they go to a table.
const COLUMN_BUFFER: usize = 64 << 20;
/// And of a column whose tables are moved: they need not be large, and what such a column does not gather others may.
const MOVED_BUFFER: usize = 32 << 20;
/// Most bytes that all columns gather together.
const ALL_BUFFERS: usize = 256 << 20;
/// Most bytes of the log, so that a column that is seldom written cannot hold it for ever. When it is full, all columns
/// are written out, however little they gathered; small tables are merged with as much as large ones.
const LOG: u64 = 512 << 20;
/// Buffers that a column may fill while the first is still being written out; with fewer, a write waits for the disk.
const BUFFERS: i32 = 4;
/// Bytes of a new table after which the disk is told to begin, so that no sync of the log waits for a whole table.
const SMOOTH: u64 = 1 << 20;
/// Bytes of one part of a table's filter or index.
const META_BLOCK: usize = 4096;
/// Bits of a filter for each key: one read in a hundred looks in vain.
const FILTER_BITS: u8 = 10;

/// Columns whose tables RocksDB should move to the next level and not write again, and whether their rows are worth
/// packing: those that are written in the order of their keys, whose tables never overlap. It moves a table only where both
/// levels are packed alike. Branches of the tree and blocks are digests: packed, they are as long as before.
pub const MOVED: [(&str, bool); 5] = [
    ("state-nodes", false),
    ("state-old", false),
    ("chain-blocks", false),
    ("state-stale", true),
    ("chain-transactions", true),
];

/// Columns that nearly nobody reads, and whose rows are written and removed in random order.
const SELDOM_READ: [&str; 1] = ["state-history"];
/// Young tables after which those of such a column are merged into the whole, where four are usual: a look at an old value
/// asks more tables, and the whole is written half as often.
const MANY_YOUNG: i32 = 8;

/// What an operator may choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreOptions {
    /// Bytes of memory for blocks, indices and filters of all columns together.
    pub cache_bytes: usize,
    /// Bytes that each column may keep in the folder itself once there are further paths; without them it has no meaning.
    pub folder_bytes: u64,
    /// Folders on further disks, each with the bytes that a column should put there; the last one takes what is left
    /// over. Those that the store does not have yet are added, as [`Store::add_path`](crate::Store::add_path) does.
    pub paths: Vec<(PathBuf, u64)>,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { cache_bytes: 256 << 20, folder_bytes: 1 << 30, paths: Vec::new() }
    }
}

/// What every opening of one store has in common.
pub(crate) struct Tuning {
    /// The cache of all columns, `None` to read everything from the disk.
    pub(crate) cache: Option<Cache>,
    /// See [`StoreOptions::folder_bytes`].
    pub(crate) folder_bytes: u64,
}

fn tables(cache: Option<&Cache>) -> BlockBasedOptions {
    let mut tables = BlockBasedOptions::default();
    tables.set_bloom_filter(FILTER_BITS.into(), false);
    // A table's filter and index are a megabyte and more. In parts, a read brings in a page of them, not the whole: once
    // they outgrow the cache together, nothing else would be done but reading them.
    tables.set_index_type(BlockBasedIndexType::TwoLevelIndexSearch);
    tables.set_partition_filters(true);
    tables.set_metadata_block_size(META_BLOCK);
    tables.set_data_block_index_type(DataBlockIndexType::BinaryAndHash);
    match cache {
        Some(cache) => {
            tables.set_block_cache(cache);
            tables.set_cache_index_and_filter_blocks(true);
            tables.set_pin_l0_filter_and_index_blocks_in_cache(true);
            tables.set_pin_top_level_index_and_filter(true);
        }
        None => tables.disable_cache(),
    }
    tables
}

/// Options of the whole, and of a column without its own.
pub(crate) fn options(tuning: &Tuning) -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options.set_paranoid_checks(true);
    // A torn last record was never acknowledged; damage anywhere before it is reported, not skipped.
    options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
    // New tables are soon merged into others, and most of their bytes are digests; the last level is worth the work.
    options.set_compression_type(DBCompressionType::None);
    options.set_bottommost_compression_type(DBCompressionType::Lz4);
    options.set_keep_log_file_num(4);
    options.set_block_based_table_factory(&tables(tuning.cache.as_ref()));
    options.set_level_compaction_dynamic_level_bytes(true);
    options.set_write_buffer_size(COLUMN_BUFFER);
    options.set_max_write_buffer_number(BUFFERS);
    options.set_bytes_per_sync(SMOOTH);
    // Most reads of transactions ask for what is not there: a hundredth of the memory is a filter that says so.
    options.set_memtable_prefix_bloom_ratio(0.01);
    options.set_memtable_whole_key_filtering(true);
    options.set_db_write_buffer_size(ALL_BUFFERS);
    options.set_max_total_wal_size(LOG);
    options
}

/// Options of a column.
fn column_options(name: &str, tuning: &Tuning) -> Options {
    let mut options = options(tuning);
    if let Some((_, packed)) = MOVED.iter().find(|(moved, _)| *moved == name) {
        let packing = if *packed { DBCompressionType::Lz4 } else { DBCompressionType::None };
        options.set_compression_type(packing);
        options.set_bottommost_compression_type(packing);
        options.set_write_buffer_size(MOVED_BUFFER);
    }
    if SELDOM_READ.contains(&name) {
        options.set_level_zero_file_num_compaction_trigger(MANY_YOUNG);
    }
    options
}

/// The options with the store's paths, the folder itself first: a table's place in this list is written down, so its
/// order never changes.
pub(crate) fn with_paths(folder: &Path, tuning: &Tuning, further: &[Further]) -> Result<Options, StoreError> {
    let mut options = options(tuning);
    if !further.is_empty() {
        let mut paths = vec![DBPath::new(folder, tuning.folder_bytes)?];
        for Further { path, bytes } in further {
            paths.push(DBPath::new(path, *bytes)?);
        }
        options.set_db_paths(&paths);
    }
    Ok(options)
}

fn descriptors(names: &[String], tuning: &Tuning) -> Vec<ColumnFamilyDescriptor> {
    names.iter().map(|name| ColumnFamilyDescriptor::new(name.clone(), column_options(name, tuning))).collect()
}

/// Opens for reading and writing. Tables are merged at the lowest priority: whoever waits for a block comes first.
pub(crate) fn open(folder: &Path, names: &[String], tuning: &Tuning, further: &[Further]) -> Result<DB, StoreError> {
    // Tables travel in backups: they do not name the machine that wrote them.
    let mut options = with_paths(folder, tuning, further)?.get_options_from_string("db_host_id=")?;
    let mut env = Env::new()?;
    env.lower_thread_pool_cpu_priority();
    options.set_env(&env);
    Ok(DB::open_cf_descriptors(&options, folder, descriptors(names, tuning))?)
}

/// Opens for reading alone, also what another holds open.
pub(crate) fn open_to_read(
    folder: &Path,
    names: &[String],
    tuning: &Tuning,
    further: &[Further],
) -> Result<DB, StoreError> {
    let mut options = with_paths(folder, tuning, further)?;
    options.create_if_missing(false);
    Ok(DB::open_cf_descriptors_read_only(&options, folder, descriptors(names, tuning), false)?)
}
