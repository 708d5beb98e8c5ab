//! Running rsync: what it lists within its time, and how it ended.
//!
//! It is started without a shell, without input, in a process group of its own, with its times in UTC and its words in
//! English. It is asked to do nothing (`--dry-run`), and into a folder that cannot be: what is there already would not be
//! listed. At the end of its time, or once too much came, its whole group is killed, and what came so far is kept.

use std::fmt;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::time::Instant;

/// The most that is read of a listing: twenty times what the longest is.
const MAX_BYTES: usize = 2 << 20;
/// How much is kept of what rsync says.
const MAX_SAID: usize = 4 << 10;
/// The most characters of it that are shown.
const SAID_SHOWN: usize = 200;
/// How much is read at a time.
const CHUNK: usize = 16 << 10;
/// How long one that was killed may take to be gone: one that waits for a broken disk cannot.
const END_TIME: Duration = Duration::from_millis(500);

/// What asks rsync for a line a file, and for nothing else.
const OPTIONS: [&str; 6] = [
    "--dry-run",
    "--relative",
    "--copy-links",
    "--archive",
    // What a server says to everybody would stand among the lines.
    "--no-motd",
    // %n is the path, with a slash behind a folder's; %f is without.
    "--out-format=%l %M %n",
];
/// A folder that cannot be: no process has the number 0.
const NOWHERE: &str = "/proc/0/";

/// rsync's exit code where something was not there, or could not be read.
const PARTIAL: i32 = 23;

/// How long listings may take that begin together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Within {
    limit: Duration,
    end: Instant,
}

impl Within {
    /// So long from now on.
    pub(crate) fn new(limit: Duration) -> Self {
        Self {
            limit,
            end: Instant::now() + limit,
        }
    }
}

/// What a listing came to.
#[derive(Debug, PartialEq)]
pub(crate) struct Listed {
    /// The lines, whole ones.
    pub(crate) text: String,
    /// Why there may be more that are not here.
    pub(crate) failure: Option<Failure>,
}

/// Why a listing is not whole, or is not there at all.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Failure {
    /// There is no such program.
    Missing(String),
    /// The program could not be started, or what it printed could not be read.
    Start(String),
    /// It was not done in time, and was killed.
    Slow(Duration, String),
    /// It printed more than is read, and was killed.
    Long,
    /// It ended with this code, or by this signal.
    Ended(Result<i32, i32>, String),
}

impl Failure {
    /// Whether another listing failed of the same: all but figures, as a count of bytes, is equal.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let without = |failure: &Self| {
            let mut text = failure.to_string();
            text.retain(|character| !character.is_ascii_digit());
            text
        };
        match (self, other) {
            (Self::Ended(one, _), Self::Ended(two, _)) if one != two => false,
            _ => without(self) == without(other),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = match self {
            Self::Missing(program) => {
                return write!(
                    f,
                    "there is no program {program:?}: install the package rsync, or say in `rsync` where it is"
                );
            }
            Self::Start(why) => return f.write_str(why),
            Self::Long => {
                return write!(
                    f,
                    "rsync printed more than {MAX_BYTES} bytes, the most that is read"
                );
            }
            Self::Slow(limit, said) => {
                let seconds = (limit.as_secs_f64() * 10.0).round() / 10.0;
                write!(f, "rsync was not done within {seconds} s")?;
                said
            }
            Self::Ended(Ok(code), said) => {
                write!(f, "rsync ended with code {code}")?;
                said
            }
            Self::Ended(Err(signal), said) => {
                write!(f, "rsync was ended by signal {signal}")?;
                said
            }
        };
        if said.is_empty() {
            f.write_str(" and said nothing")
        } else {
            write!(f, ": {said}")
        }
    }
}

/// What rsync lists of the images that match `pattern` below `base`, a URL that ends with a slash.
///
/// A pattern that nothing matches is an empty list, and no failure.
pub(crate) async fn list(program: &str, base: &str, pattern: &str, within: Within) -> Listed {
    let failed = |failure| Listed {
        text: String::new(),
        failure: Some(failure),
    };
    let mut command = Command::new(program);
    command
        .args(OPTIONS)
        .arg(format!("{base}{pattern}"))
        .arg(NOWHERE)
        .env("TZ", "UTC")
        .env("LC_ALL", "C")
        // A .popt there would add options, and this would write the names in another way.
        .env_remove("HOME")
        .env_remove("RSYNC_ICONV")
        // Not its affair. The rest is, as a proxy's address.
        .env_remove("INFLUXDB_PASSWORD")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return failed(Failure::Missing(program.to_owned()));
        }
        Err(error) => {
            return failed(Failure::Start(format!("cannot start {program:?}: {error}")));
        }
    };
    let mut group = Group::of(&child);
    let (mut text, mut said) = (Vec::new(), Vec::new());
    let end = tokio::time::timeout_at(within.end, run(&mut child, &mut text, &mut said)).await;
    let failure = match end {
        Ok(Ok(status)) => {
            group.is_over();
            judge(status, &text, &said, pattern)
        }
        Ok(Err(End::Long)) => Some(Failure::Long),
        Ok(Err(End::Io(error))) => Some(Failure::Start(format!("cannot read what rsync prints: {error}"))),
        Err(_) => Some(Failure::Slow(within.limit, quoted(&said, pattern))),
    };
    drop(group);
    if failure.is_some() {
        // So that nothing of it is left; it has been killed, or has ended.
        let _ = tokio::time::timeout(END_TIME, child.wait()).await;
        // A line that is cut names something else.
        let whole = text
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |end| end + 1);
        text.truncate(whole);
    }
    Listed {
        text: String::from_utf8(text)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
        failure,
    }
}

/// Why nothing more is read.
enum End {
    Long,
    Io(io::Error),
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads what it prints to the end, and waits for its own.
async fn run(child: &mut Child, text: &mut Vec<u8>, said: &mut Vec<u8>) -> Result<ExitStatus, End> {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    tokio::try_join!(
        read(stdout, |chunk| {
            keep(text, chunk, MAX_BYTES).then_some(()).ok_or(End::Long)
        }),
        read(stderr, |chunk| {
            keep(said, chunk, MAX_SAID);
            Ok(())
        }),
    )?;
    Ok(child.wait().await?)
}

/// Adds a chunk to what there is, as far as the bound lets; whether that is all of it.
fn keep(kept: &mut Vec<u8>, chunk: &[u8], most: usize) -> bool {
    let room = most.saturating_sub(kept.len()).min(chunk.len());
    kept.extend_from_slice(chunk.get(..room).unwrap_or_default());
    room == chunk.len()
}

async fn read(
    from: Option<impl AsyncRead + Unpin>,
    mut take: impl FnMut(&[u8]) -> Result<(), End>,
) -> Result<(), End> {
    let Some(mut from) = from else {
        return Ok(());
    };
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = from.read(&mut chunk).await?;
        if read == 0 {
            return Ok(());
        }
        take(chunk.get(..read).unwrap_or_default())?;
    }
}

/// Whether a listing is whole that ended so.
fn judge(status: ExitStatus, text: &[u8], said: &[u8], pattern: &str) -> Option<Failure> {
    let Some(code) = status.code() else {
        return Some(Failure::Ended(
            Err(status.signal().unwrap_or_default()),
            quoted(said, pattern),
        ));
    };
    let is_whole = code == 0 || (code == PARTIAL && text.is_empty() && is_no_match(said, pattern));
    (!is_whole).then(|| Failure::Ended(Ok(code), quoted(said, pattern)))
}

/// Whether rsync says that it found nothing by the pattern. What else it says then is that the connection ended.
fn is_no_match(said: &[u8], pattern: &str) -> bool {
    // rsync: [sender] link_stat "daily*/*/*.wsl" (in cdimage) failed: No such file or directory (2)
    // The words of the reason are the server's; its number is the same in all languages.
    String::from_utf8_lossy(said).lines().any(|line| {
        line.contains("link_stat ") && line.contains(&format!("{pattern}\" ")) && line.ends_with("(2)")
    })
}

/// What rsync said on one line, without what it says in any case, and bounded. The pattern is left out, so that listings
/// that fail of the same say the same.
fn quoted(said: &[u8], pattern: &str) -> String {
    let said = String::from_utf8_lossy(said);
    let mut lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
    let is_cause = |line: &&str| !line.starts_with("rsync error: ");
    let mut quoted = String::new();
    for line in lines.clone().filter(is_cause) {
        let line = line.strip_prefix("rsync: ").unwrap_or(line);
        quoted.push_str(if quoted.is_empty() { "" } else { "; " });
        quoted.push_str(line);
    }
    if quoted.is_empty() {
        quoted = lines.next().unwrap_or_default().to_owned();
    }
    let quoted = quoted
        .replace(&format!("{pattern}\""), "…\"")
        .replace(char::is_control, " ");
    match quoted.char_indices().nth(SAID_SHOWN) {
        Some((end, _)) => format!("{}…", quoted.get(..end).unwrap_or_default()),
        None => quoted,
    }
}

/// The processes of a listing. They are killed when it is dropped, unless they are [over](Self::is_over).
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self(id.and_then(Pid::from_raw))
    }

    /// Its first process has been waited for: another may have its number now.
    fn is_over(&mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It may have ended by itself.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests;
