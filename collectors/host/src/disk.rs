//! Disks, from `/proc/diskstats`; which of its devices are whole disks, from `/sys/block`.

use crate::patterns::any_matches;
use crate::table::{Rows, number, seconds, times};
use crate::topic::Topic;
use tidemark_collect::{CollectorError, Measurement};

const PATH: &str = "/proc/diskstats";
const WHOLE_DISKS: &str = "/sys/block";

/// The kernel's sectors are of 512 bytes, whatever the disk's are.
const SECTOR_BYTES: u64 = 512;

/// One disk's work since the boot.
#[derive(Clone, Debug, PartialEq, Measurement)]
#[measurement("host_disk")]
pub(crate) struct Disk {
    /// The host's name.
    #[tag]
    host: String,
    /// The disk, as the kernel names it.
    #[tag]
    device: String,
    /// Reads done.
    #[counter]
    reads: u64,
    /// Bytes read.
    #[unit("bytes")]
    #[counter]
    read_bytes: u64,
    /// Time that reads took, each counted for itself.
    #[unit("seconds")]
    #[counter]
    read_seconds: f64,
    /// Writes done.
    #[counter]
    writes: u64,
    /// Bytes written.
    #[unit("bytes")]
    #[counter]
    written_bytes: u64,
    /// Time that writes took, each counted for itself.
    #[unit("seconds")]
    #[counter]
    write_seconds: f64,
    /// Requests under way.
    in_flight: u64,
    /// Time in which at least one request was under way.
    #[unit("seconds")]
    #[counter]
    busy_seconds: f64,
    /// Time of all requests, those under way and waiting included: its rate is the mean queue.
    #[unit("seconds")]
    #[counter]
    queue_seconds: f64,
}

/// A kernel or a container without block devices has nothing to report.
pub(crate) fn collect(topic: &mut Topic<'_>) -> Result<(), CollectorError> {
    let Some(text) = topic.read_if_there(PATH)? else {
        return Ok(());
    };
    let settings = topic.settings();
    let whole = if settings.partitions {
        None
    } else {
        whole_disks(topic)?
    };
    let table = parse(&text, &topic.host_name());
    for disk in table.rows {
        let is_whole = whole
            .as_ref()
            .is_none_or(|whole| whole.binary_search(&disk.device).is_ok());
        if is_whole && !any_matches(&settings.disks_except, &disk.device) {
            topic.push(disk);
        }
    }
    if let Some(broken) = table.broken {
        topic.gap(&CollectorError::parse(PATH, broken));
    }
    Ok(())
}

/// The names of disks that are no partitions, sorted; `None` where `/sys` is not there: then all are reported.
fn whole_disks(topic: &Topic<'_>) -> Result<Option<Vec<String>>, CollectorError> {
    match topic.context().list_host(WHOLE_DISKS) {
        Ok(mut names) => {
            // A folder's name has no slash: `cciss!c0d0` is `cciss/c0d0`.
            names.iter_mut().for_each(|name| *name = name.replace('!', "/"));
            names.sort_unstable();
            Ok(Some(names))
        }
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// ` 254       0 vda 76535 24868 4704314 50430 9596 38320 5040504 19855 0 23052 71157 ...`: numbers of the device,
/// name, then of reads and of writes each done, merged, sectors, milliseconds; then requests under way,
/// milliseconds busy, milliseconds of all requests. Later kernels go on with discards and flushes.
fn parse(text: &str, host: &str) -> Rows<Disk> {
    Rows::read(text, 0, |line| {
        let mut words = line.split_ascii_whitespace().skip(2);
        let device = words.next().ok_or("no name")?.to_owned();
        let mut column = |name| number(words.next(), name);
        let reads = column("reads")?;
        column("reads merged")?;
        let sectors_read = column("sectors read")?;
        let read_seconds = seconds(column("milliseconds of reads")?, 1e3);
        let writes = column("writes")?;
        column("writes merged")?;
        let sectors_written = column("sectors written")?;
        let write_seconds = seconds(column("milliseconds of writes")?, 1e3);
        let in_flight = column("requests under way")?;
        let busy_seconds = seconds(column("milliseconds busy")?, 1e3);
        let queue_seconds = seconds(column("milliseconds of all requests")?, 1e3);
        Ok(Some(Disk {
            host: host.to_owned(),
            device,
            reads,
            read_bytes: times(sectors_read, SECTOR_BYTES, "what was read")?,
            read_seconds,
            writes,
            written_bytes: times(sectors_written, SECTOR_BYTES, "what was written")?,
            write_seconds,
            in_flight,
            busy_seconds,
            queue_seconds,
        }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LINE: &str = " 254       0 vda 76535 24868 4704314 50430 9596 38320 5040504 19855 2 23052 71157 5203 78 1055200 843 540 28\n";

    #[test]
    fn sectors_are_of_512_bytes_and_times_in_milliseconds() {
        let table = parse(LINE, "h");
        assert_eq!(table.broken, None);
        let expected = Disk {
            host: "h".into(),
            device: "vda".into(),
            reads: 76535,
            read_bytes: 2_408_608_768,
            read_seconds: 50.43,
            writes: 9596,
            written_bytes: 2_580_738_048,
            write_seconds: 19.855,
            in_flight: 2,
            busy_seconds: 23.052,
            queue_seconds: 71.157,
        };
        assert_eq!(table.rows, [expected]);
    }

    #[test]
    fn kernels_before_discards_have_fewer_columns() {
        let table = parse("8 0 cciss/c0d0 1 0 2 3 4 0 5 6 0 7 8\n", "h");
        assert_eq!(table.broken, None);
        assert_eq!(
            (table.rows[0].device.as_str(), table.rows[0].read_bytes),
            ("cciss/c0d0", 1024)
        );
    }

    #[test]
    fn a_broken_row_leaves_the_others() {
        // Partitions had four numbers before Linux 2.6.25; a number of sectors that is no number of bytes.
        let text = format!(
            "8 1 sda1 1 2 3 4\n{LINE}8 0 sda 1 0 {} 3 4 0 5 6 0 7 8\n",
            u64::MAX
        );
        let table = parse(&text, "h");
        assert_eq!(table.rows.len(), 1);
        assert_eq!(
            table.broken.unwrap().to_string(),
            "line 1: writes is missing in \"8 1 sda1 1 2 3 4\" (and 1 more line)"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC{0,200}|(8 0 sd[a-z]( [0-9]{0,20}){0,14}\n){0,4}") {
            let _ = parse(&text, "h");
        }
    }
}
