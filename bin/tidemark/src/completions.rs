//! `tidemark completions`: what a shell needs to complete this command, the names of collectors too.

use std::process::ExitCode;

use clap_complete::Shell;
use tidemark_app::exit::{self, Failure};

use crate::Command;
use crate::PROGRAM;
use crate::arguments::{self, Completions};
use crate::catalogue;

/// Completes the names of collectors beside what the generated function completes.
const BASH: &str = r#"
# The subcommands that take a collector: what is generated above does not know the names.
_tidemark_with_collectors() {
    _tidemark "$@"
    local word subcommand=
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case "$word" in
            run|show|man) subcommand=$word; break ;;
            up|list|status|check|outbox|lint|units|new|completions) return ;;
        esac
    done
    local current=${COMP_WORDS[COMP_CWORD]}
    if [[ -n $subcommand && $current != -* && ${COMP_WORDS[COMP_CWORD-1]} != -* ]]; then
        COMPREPLY+=( $(compgen -W "$(tidemark completions collectors 2>/dev/null)" -- "$current") )
    fi
}
complete -F _tidemark_with_collectors -o bashdefault -o default tidemark
"#;

const FISH: &str = r#"
# The subcommands that take a collector.
complete -c tidemark -n "__fish_seen_subcommand_from run show man" -f -a "(tidemark completions collectors 2>/dev/null)"
"#;

/// How the generated zsh function ends the argument that is a collector, and what completes it instead.
const ZSH_DEFAULT: &str = ":_default";
const ZSH_COLLECTORS: &str = ":_tidemark_collectors";
const ZSH: &str = r#"
# The names of collectors.
_tidemark_collectors() {
    local -a names
    names=(${(f)"$(tidemark completions collectors 2>/dev/null)"})
    _describe 'collector' names
}
"#;

/// Prints it.
pub(crate) fn completions(command: &Command, what: Completions) -> Result<ExitCode, Failure> {
    let text = match what {
        Completions::Bash => generated(Shell::Bash) + BASH,
        Completions::Fish => generated(Shell::Fish) + FISH,
        Completions::Zsh => zsh(&generated(Shell::Zsh)),
        Completions::Collectors => catalogue::installed(&command.here)
            .names()
            .map(|name| format!("{name}\n"))
            .collect(),
    };
    exit::print(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn generated(shell: Shell) -> String {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut arguments::command(), PROGRAM, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// The generated function, and names of collectors where one is asked for.
fn zsh(generated: &str) -> String {
    let (first, rest) = generated.split_once('\n').unwrap_or((generated, ""));
    let mut text = format!("{first}\n{ZSH}");
    for line in rest.lines() {
        // `':name -- The collector:_default' \`, as the help of these arguments has it.
        match line.contains(" -- The collector") {
            true => text.push_str(&line.replacen(ZSH_DEFAULT, ZSH_COLLECTORS, 1)),
            false => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zsh_completes_collectors_where_one_is_asked_for() {
        let text = zsh(&generated(Shell::Zsh));
        assert!(text.starts_with("#compdef tidemark\n"), "{}", &text[..80]);
        assert_eq!(text.matches(ZSH_COLLECTORS).count(), 3, "run, show and man");
    }
}
