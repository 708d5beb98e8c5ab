//! `tidemark run NAME...`: one run of each now, one after the other.

use std::path::Path;
use std::process::{ExitCode, ExitStatus};

use tidemark_app::exit::{self, Failure};
use tidemark_app::output::Format;
use tidemark_app::{StopSignals, block_on};

use crate::Command;
use crate::catalogue;
use crate::child::{self, Tell};

/// Runs the collectors called `names`; the exit code is the worst of theirs.
pub(crate) fn run(command: &Command, names: &[String], dry_run: Option<Format>) -> Result<ExitCode, Failure> {
    let mut options = command.passed_on();
    if let Some(format) = dry_run {
        options.push("--dry-run".into());
        options.push(format!("--output={format}").into());
    }
    let installed = catalogue::installed(&command.here);
    let programs: Result<Vec<&Path>, Failure> = names
        .iter()
        .map(|name| catalogue::program(&installed, name))
        .collect();
    let programs = programs?;
    if dry_run.is_none()
        && let Ok(loaded) = command.settings()
        && let Some(unknown) = command.unknown_sinks(&loaded)
    {
        tracing::warn!("{unknown}");
    }
    let added = command.here.environment.added();
    let worst = block_on(async {
        let mut signals = StopSignals::listen()
            .map_err(|error| Failure::run(format!("signals cannot be listened to: {error}")))?;
        let mut worst = exit::OK;
        for program in programs {
            let cannot =
                |error: std::io::Error| Failure::run(format!("{} cannot be run: {error}", program.display()));
            let (handle, ended) = child::start(program, &options, added).map_err(cannot)?;
            tokio::pin!(ended);
            let mut signalled = 0;
            let status = loop {
                tokio::select! {
                    status = &mut ended => break status.map_err(cannot)?,
                    _ = signals.next() => {
                        // A collector takes a second one as "now"; what heeds none is ended.
                        handle.tell(if signalled < 2 { Tell::Terminate } else { Tell::Kill });
                        signalled += 1;
                    }
                }
            };
            worst = worse(worst, code(status));
            if signalled > 0 {
                break;
            }
        }
        Ok(worst)
    })?;
    Ok(ExitCode::from(worst))
}

/// A child's exit code as this program's: one that was ended by a signal failed.
fn code(status: ExitStatus) -> u8 {
    status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(exit::FAILED)
}

/// Wrong settings say more than a failed run.
fn worse(a: u8, b: u8) -> u8 {
    a.max(b)
}
