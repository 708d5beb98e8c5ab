//! Memory and swap, from `/proc/meminfo`.

use crate::table::{Broken, Rows, number, quoted, times};
use crate::topic::Topic;
use tidemark_collect::{CollectorError, Measurement};

const PATH: &str = "/proc/meminfo";

/// Memory. What this kernel does not tell is left out.
#[derive(Debug, PartialEq, Measurement)]
#[measurement("host_memory")]
pub(crate) struct Memory {
    /// The host's name.
    #[tag]
    host: String,
    /// All of it, but for what the kernel's own code takes.
    #[unit("bytes")]
    total_bytes: u64,
    /// Used for nothing at all.
    #[unit("bytes")]
    free_bytes: Option<u64>,
    /// What programs could get without swapping: free, and most of what caches hold.
    #[unit("bytes")]
    available_bytes: Option<u64>,
    /// Cache of the disks' blocks.
    #[unit("bytes")]
    buffers_bytes: Option<u64>,
    /// Cache of files, shared memory included.
    #[unit("bytes")]
    cached_bytes: Option<u64>,
    /// Used not long ago.
    #[unit("bytes")]
    active_bytes: Option<u64>,
    /// Not used for long: taken first.
    #[unit("bytes")]
    inactive_bytes: Option<u64>,
    /// Programs' own memory, that of no file.
    #[unit("bytes")]
    anonymous_bytes: Option<u64>,
    /// Files mapped into programs' memory.
    #[unit("bytes")]
    mapped_bytes: Option<u64>,
    /// Shared memory and tmpfs.
    #[unit("bytes")]
    shared_bytes: Option<u64>,
    /// The kernel's objects.
    #[unit("bytes")]
    slab_bytes: Option<u64>,
    /// Of these, what can be taken back.
    #[unit("bytes")]
    slab_reclaimable_bytes: Option<u64>,
    /// The kernel's stacks.
    #[unit("bytes")]
    kernel_stack_bytes: Option<u64>,
    /// Page tables.
    #[unit("bytes")]
    page_tables_bytes: Option<u64>,
    /// Huge pages set aside, in use or not.
    #[unit("bytes")]
    huge_pages_bytes: Option<u64>,
    /// Waits to be written to disk.
    #[unit("bytes")]
    dirty_bytes: Option<u64>,
    /// Being written to disk.
    #[unit("bytes")]
    writeback_bytes: Option<u64>,
    /// Promised to programs.
    #[unit("bytes")]
    committed_bytes: Option<u64>,
    /// The most that could be promised where the kernel is strict.
    #[unit("bytes")]
    commit_limit_bytes: Option<u64>,
}

/// Swap, on a host that has any.
#[derive(Debug, PartialEq, Measurement)]
#[measurement("host_swap")]
pub(crate) struct Swap {
    /// The host's name.
    #[tag]
    host: String,
    /// All of it.
    #[unit("bytes")]
    total_bytes: u64,
    /// Used for nothing.
    #[unit("bytes")]
    free_bytes: Option<u64>,
    /// In memory and in swap both.
    #[unit("bytes")]
    cached_bytes: Option<u64>,
}

pub(crate) fn collect(topic: &mut Topic<'_>) -> Result<(), CollectorError> {
    let text = topic.read(PATH)?;
    let Rows { rows, broken } = parse(&text);
    let host = topic.host_name();
    let memory = memory(&rows, host.clone());
    let swap = swap(&rows, host);
    match (&memory, broken) {
        (None, broken) => {
            let broken = broken.unwrap_or_else(|| Broken::at(1, "no MemTotal in it"));
            return Err(CollectorError::parse(PATH, broken));
        }
        (Some(_), Some(broken)) => topic.gap(&CollectorError::parse(PATH, broken)),
        (Some(_), None) => {}
    }
    memory.into_iter().for_each(|memory| topic.push(memory));
    swap.into_iter().for_each(|swap| topic.push(swap));
    Ok(())
}

/// The names of the kernel's that count here.
const KEYS: [&str; 22] = [
    "MemTotal",
    "MemFree",
    "MemAvailable",
    "Buffers",
    "Cached",
    "Active",
    "Inactive",
    "AnonPages",
    "Mapped",
    "Shmem",
    "Slab",
    "SReclaimable",
    "KernelStack",
    "PageTables",
    "Hugetlb",
    "Dirty",
    "Writeback",
    "Committed_AS",
    "CommitLimit",
    "SwapTotal",
    "SwapFree",
    "SwapCached",
];

/// `MemTotal:       24682416 kB`: name and bytes, of each row that counts here.
fn parse(text: &str) -> Rows<(&'static str, u64)> {
    Rows::read(text, 0, |line| {
        let (key, value) = line.split_once(':').ok_or("no colon")?;
        let Some(key) = KEYS.into_iter().find(|known| *known == key) else {
            return Ok(None);
        };
        let mut words = value.split_ascii_whitespace();
        let kilobytes = number(words.next(), key)?;
        match words.next() {
            // The kernel's kB are of 1024 bytes.
            Some("kB") => Ok(Some((key, times(kilobytes, 1024, key)?))),
            unit => Err(format!(
                "{key} is not in kB but in {}",
                quoted(unit.unwrap_or_default())
            )),
        }
    })
}

fn memory(rows: &[(&str, u64)], host: String) -> Option<Memory> {
    let bytes = |key| value(rows, key);
    Some(Memory {
        host,
        total_bytes: bytes("MemTotal")?,
        free_bytes: bytes("MemFree"),
        available_bytes: bytes("MemAvailable"),
        buffers_bytes: bytes("Buffers"),
        cached_bytes: bytes("Cached"),
        active_bytes: bytes("Active"),
        inactive_bytes: bytes("Inactive"),
        anonymous_bytes: bytes("AnonPages"),
        mapped_bytes: bytes("Mapped"),
        shared_bytes: bytes("Shmem"),
        slab_bytes: bytes("Slab"),
        slab_reclaimable_bytes: bytes("SReclaimable"),
        kernel_stack_bytes: bytes("KernelStack"),
        page_tables_bytes: bytes("PageTables"),
        huge_pages_bytes: bytes("Hugetlb"),
        dirty_bytes: bytes("Dirty"),
        writeback_bytes: bytes("Writeback"),
        committed_bytes: bytes("Committed_AS"),
        commit_limit_bytes: bytes("CommitLimit"),
    })
}

/// Nothing on a host without swap.
fn swap(rows: &[(&str, u64)], host: String) -> Option<Swap> {
    let total_bytes = value(rows, "SwapTotal").filter(|bytes| *bytes > 0)?;
    let (free_bytes, cached_bytes) = (value(rows, "SwapFree"), value(rows, "SwapCached"));
    Some(Swap {
        host,
        total_bytes,
        free_bytes,
        cached_bytes,
    })
}

fn value(rows: &[(&str, u64)], key: &str) -> Option<u64> {
    rows.iter()
        .find(|(name, _)| *name == key)
        .map(|(_, bytes)| *bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn kilobytes_are_of_1024_bytes() {
        let table =
            parse("MemTotal:       24682416 kB\nMemFree: 1 kB\nHugePages_Total:       3\nActive(anon): x\n");
        assert_eq!(table.broken, None);
        assert_eq!(table.rows, [("MemTotal", 25_274_793_984), ("MemFree", 1024)]);
    }

    #[test]
    fn a_host_without_swap_says_nothing_of_it() {
        let rows = parse("MemTotal: 2 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n").rows;
        assert_eq!(swap(&rows, "h".into()), None);
        let rows = parse("SwapTotal: 8 kB\nSwapFree: 3 kB\n").rows;
        let host = "h".to_owned();
        let expected = Swap {
            host,
            total_bytes: 8192,
            free_bytes: Some(3072),
            cached_bytes: None,
        };
        assert_eq!(swap(&rows, "h".into()), Some(expected));
    }

    #[test]
    fn what_the_kernel_does_not_tell_is_left_out() {
        let memory = memory(&parse("MemTotal: 2 kB\nMemFree: 1 kB\n").rows, "h".into()).unwrap();
        assert_eq!(
            (memory.total_bytes, memory.free_bytes, memory.available_bytes),
            (2048, Some(1024), None)
        );
    }

    #[test]
    fn a_broken_row_leaves_the_others() {
        let table = parse("MemTotal: 1 kB\nMemFree: 18014398509481985 kB\nDirty: 1 MB\nCached: kB\nwhat\n");
        assert_eq!(table.rows, [("MemTotal", 1024)]);
        assert_eq!(
            table.broken.unwrap().to_string(),
            "line 2: MemFree is more than 64 bits of bytes: 18014398509481985 \
             in \"MemFree: 18014398509481985 kB\" (and 3 more lines)"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC{0,200}|((MemTotal|SwapFree):[0-9 kB]{0,30}\n){0,6}") {
            let rows = parse(&text).rows;
            let _ = (memory(&rows, String::new()), swap(&rows, String::new()));
        }
    }
}
