//! The screen of `status`: the worst first, with since when and what to do.

use std::cmp::Reverse;

use tidemark_collect::one_line;

use super::{CollectorStatus, SinkStatus, State, Status};
use crate::orphaned::BY_COMMAND_LINE;
use crate::table::{Align, Cell, Paint, Table, wrapped};
use crate::wording::{count, counted, date_and_time, relative, took};

/// The most gaps and notices of a run that the screen shows.
const NOTES_SHOWN: usize = 3;

/// The whole screen, with a final newline; `width` is the terminal's, 0 where there is none.
pub(crate) fn screen(status: &Status, colour: bool, width: usize) -> String {
    let mut out = format!("{}  {}\n", one_line(&status.host), date_and_time(status.now));
    out.push_str(&verdict(status, colour));
    out.push('\n');
    for warning in &status.warnings {
        for line in wrapped(&one_line(warning), "! ", "  ", width) {
            out.push_str(&line);
            out.push('\n');
        }
    }
    out.push('\n');
    if status.collectors.is_empty() {
        out.push_str("No collectors are installed.\n");
    } else {
        out.push_str(&collectors(status).render_within(colour, width));
    }
    out.push('\n');
    if status.sinks.is_empty() {
        out.push_str("Nothing is known of any sink yet.\n");
    } else {
        out.push_str(&sinks(status).render_within(colour, width));
    }
    if let Some(name) = example(status) {
        out.push_str(&format!("\nThe values: tidemark show {name}\n"));
    }
    out
}

/// A collector whose values are worth a look, and are in the store.
fn example(status: &Status) -> Option<&str> {
    let has_points =
        |collector: &&CollectorStatus| collector.last_run.as_ref().is_some_and(|run| run.points > 0);
    let mut stored = status.collectors.iter().filter(|collector| collector.in_store);
    let shown = stored.clone().find(has_points).or_else(|| stored.next());
    shown.map(|collector| collector.name.as_str())
}

/// The first thing to read: whether there is anything to do.
fn verdict(status: &Status, colour: bool) -> String {
    if status.settings_are_wrong {
        let text = "The settings are wrong: no run begins until they are mended. This was recorded:";
        return Paint::Bad.apply(text, colour);
    }
    let bad_collectors = status
        .collectors
        .iter()
        .filter(|collector| collector.state.is_bad())
        .count();
    let bad_sinks = status.sinks.iter().filter(|sink| sink.is_bad()).count();
    let part = |bad: usize, all: usize, noun: &str| {
        let noun = if all == 1 {
            noun.to_owned()
        } else {
            format!("{noun}s")
        };
        format!("{bad} of {all} {noun}")
    };
    let mut parts = Vec::new();
    if bad_collectors > 0 {
        parts.push(part(bad_collectors, status.collectors.len(), "collector"));
    }
    if bad_sinks > 0 {
        parts.push(part(bad_sinks, status.sinks.len(), "sink"));
    }
    if parts.is_empty() {
        let active =
            |collector: &&CollectorStatus| !matches!(collector.state, State::Disabled | State::Never);
        return match status.collectors.iter().filter(active).count() {
            0 => "Nothing has run yet: `tidemark up` runs the collectors, `tidemark run NAME` one of them."
                .to_owned(),
            _ => Paint::Good.apply("All is well.", colour),
        };
    }
    let verb = if bad_collectors + bad_sinks == 1 {
        "needs"
    } else {
        "need"
    };
    Paint::Bad.apply(&format!("{} {verb} attention.", parts.join(" and ")), colour)
}

fn collectors(status: &Status) -> Table {
    let mut table = Table::new([
        ("COLLECTOR", Align::Left),
        ("STATE", Align::Left),
        ("LAST RUN", Align::Left),
        ("TOOK", Align::Right),
        ("POINTS", Align::Right),
        ("EVERY", Align::Left),
        ("NEXT", Align::Left),
    ])
    .spare(["EVERY", "TOOK", "POINTS"]);
    let mut order: Vec<&CollectorStatus> = status.collectors.iter().collect();
    order.sort_by_key(|collector| (rank(collector), collector.name.clone()));
    for collector in order {
        let run = collector.last_run.as_ref();
        let next = collector.next_run.map(|next| match status.now.since(next) {
            ..0 => relative(status.now, next),
            _ => "due".to_owned(),
        });
        table.row([
            Cell::from(collector.name.as_str()),
            Cell::from(state_word(collector)).painted(paint(collector)),
            run.map_or_else(|| "-".to_owned(), |run| relative(status.now, run.ended()))
                .into(),
            run.map_or_else(|| "-".to_owned(), |run| took(run.duration_seconds))
                .into(),
            run.map_or_else(|| "-".to_owned(), |run| count(run.points)).into(),
            collector.interval.to_string().into(),
            next.unwrap_or_else(|| "-".to_owned()).into(),
        ]);
        collector_notes(status, collector, &mut table);
    }
    table
}

/// The worst first.
fn rank(collector: &CollectorStatus) -> u8 {
    match collector.state {
        State::Failing => 0,
        State::Late => 1,
        State::Never => 3,
        State::Ok | State::Running if is_partial(collector) => 2,
        State::Ok | State::Running => 4,
        State::Disabled => 5,
    }
}

fn is_partial(collector: &CollectorStatus) -> bool {
    collector.last_run.as_ref().is_some_and(|run| run.partial)
}

/// The state; a partial run is no failure, and yet to be seen.
fn state_word(collector: &CollectorStatus) -> &'static str {
    match collector.state {
        State::Ok if is_partial(collector) => "partial",
        state => state.name(),
    }
}

fn paint(collector: &CollectorStatus) -> Paint {
    match collector.state {
        State::Failing | State::Late => Paint::Bad,
        State::Disabled | State::Never => Paint::Dim,
        State::Ok | State::Running if is_partial(collector) => Paint::Plain,
        State::Ok | State::Running => Paint::Good,
    }
}

fn collector_notes(status: &Status, collector: &CollectorStatus, table: &mut Table) {
    let name = &collector.name;
    if let Some(broken) = &collector.broken {
        table.note(&format!("its program is broken: {broken}"));
        return;
    }
    let Some(run) = &collector.last_run else {
        if collector.state == State::Never {
            table.note(&format!("try: tidemark run {name}"));
        }
        return;
    };
    match (collector.state, &collector.late_targets) {
        (State::Late, Some(late)) => {
            table.note(late);
            table.note(&format!("try: tidemark run {name} --dry-run -v"));
        }
        (State::Late, None) => {
            table.note(&format!(
                "no run has ended since {}; is `tidemark up` or its timer running?",
                date_and_time(run.ended())
            ));
            table.note(&format!("try: tidemark run {name}"));
        }
        (State::Failing, _) => {
            let error = run.error.as_deref().unwrap_or("the run failed");
            table.note(&match collector.failing {
                Some(failing) if failing.runs > 1 => format!(
                    "for {}, since {} ({}): {error}",
                    counted(failing.runs, "run", "runs"),
                    date_and_time(failing.since),
                    relative(status.now, failing.since),
                ),
                _ => error.to_owned(),
            });
            table.note(&format!("try: tidemark run {name} --dry-run -v"));
        }
        (State::Disabled, _) => return,
        (State::Ok | State::Running | State::Never, _) => {}
    }
    some(&run.gaps, "missing: ", table);
    // What the settings have to say at every run stands above already.
    let is_said = |notice: &&String| {
        let late = collector.late_targets.as_ref();
        status.warnings.contains(notice) || (collector.state == State::Late && late == Some(*notice))
    };
    let own = run.notices.iter().filter(|notice| !is_said(notice));
    some(&own.cloned().collect::<Vec<_>>(), "notice: ", table);
}

/// The first few lines, and how many more there are.
fn some(lines: &[String], prefix: &str, table: &mut Table) {
    for line in lines.iter().take(NOTES_SHOWN) {
        table.note(&format!("{prefix}{line}"));
    }
    if lines.len() > NOTES_SHOWN {
        table.note(&format!(
            "{prefix}and {} more (`tidemark status --json` has them)",
            lines.len() - NOTES_SHOWN
        ));
    }
}

fn sinks(status: &Status) -> Table {
    let mut table = Table::new([
        ("SINK", Align::Left),
        ("TYPE", Align::Left),
        ("DELIVERED", Align::Right),
        ("WAITING", Align::Right),
        ("REJECTED", Align::Right),
        ("DROPPED", Align::Right),
    ])
    .spare(["TYPE"]);
    let mut order: Vec<&SinkStatus> = status.sinks.iter().collect();
    // A stable sort: the settings' order among equals.
    order.sort_by_key(|sink| Reverse(sink.is_bad()));
    for sink in order {
        let lost = |number: u64| {
            let paint = if number > 0 && sink.lost > 0 {
                Paint::Bad
            } else {
                Paint::Plain
            };
            Cell::from(count(number)).painted(paint)
        };
        table.row([
            Cell::from(sink.name.as_str()),
            Cell::from(sink.sink_type.as_str()),
            count(sink.delivered).into(),
            count(sink.waiting).into(),
            lost(sink.rejected),
            lost(sink.dropped),
        ]);
        sink_notes(status, sink, &mut table);
    }
    table
}

fn sink_notes(status: &Status, sink: &SinkStatus, table: &mut Table) {
    let name = &sink.name;
    let backoff = sink.backoff_until.filter(|until| until.since(status.now) > 0);
    if let Some(error) = &sink.last_error {
        table.note(error);
    }
    if sink.waiting > 0 {
        let mut line = counted(sink.waiting, "point waits", "points wait");
        if let Some(oldest) = sink.oldest_waiting {
            line.push_str(&format!(
                ", the oldest since {} ({})",
                date_and_time(oldest),
                relative(status.now, oldest)
            ));
        }
        if let Some(until) = backoff {
            line.push_str(&format!("; tried again {}", relative(status.now, until)));
        }
        table.note(&line);
    }
    if sink.orphaned {
        let waiting = if sink.waiting > 0 { " --waiting" } else { "" };
        if sink.by_command_line {
            table.note(&format!("in no settings: {BY_COMMAND_LINE}"));
            table.note(&format!(
                "where nothing uses that file any more, `tidemark outbox drop {name}{waiting}` forgets it{}",
                if sink.waiting > 0 { " and what waits" } else { "" }
            ));
        } else {
            table.note(&format!(
                "in no settings any more; `tidemark outbox drop {name}{waiting}` forgets it"
            ));
        }
    } else if sink.waiting > 0 && sink.last_error.is_some() {
        table.note("try now: tidemark outbox flush");
    }
    if sink.lost > 0 {
        table.note(&format!(
            "{} lost; `tidemark outbox show {name}` says why, `tidemark outbox drop {name}` acknowledges it",
            counted(sink.lost, "point was", "points were")
        ));
    }
    if sink.superseded > 0 {
        table.note(&format!(
            "{} replaced by newer ones",
            counted(sink.superseded, "point was", "points were")
        ));
    }
    if let Some(since) = sink.damaged_since {
        table.note(&format!(
            "the outbox was damaged; the numbers are not whole since {}",
            date_and_time(since)
        ));
    }
}
