//! The file as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use tidemark_settings::{
    Document, Environment, Key, Mistake, Mistakes, Places, Position, SecretSource, Section, SectionReader,
    SettingValue as _, UnknownKeys, quoted,
};

use crate::global::{Draft as GlobalDraft, RETRIES_OF_REQUESTS, RETRIES_OF_WRITES};
use crate::logging::Logging;
use crate::statgroup::Draft as GroupDraft;
use crate::{BackEnd, Cluster, Global, StatGroup, SummaryStats, cluster};

/// The longest file, in bytes.
const LONGEST: usize = 1 << 20;

/// The file of gostats, without a mistake but for those of a back end that nobody asks for.
#[derive(Clone, Debug)]
pub struct Idic {
    /// `[global]`.
    pub global: Global,
    /// The `[[cluster]]`s in order, those that are disabled too where they are whole.
    pub clusters: Vec<Cluster>,
    /// The `[[statgroup]]`s in order, those that are not fetched too.
    pub statgroups: Vec<StatGroup>,
    /// `[summary_stats]`.
    pub summary_stats: SummaryStats,
    pub(crate) document: Arc<Document>,
    pub(crate) back_end: Result<BackEnd, Mistake>,
    notices: Vec<String>,
    notes: Vec<String>,
}

impl Idic {
    /// Reads the file. Where this user may not read it, and systemd hands it to the unit as a credential, that counts.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn read(path: &Path, places: &Places) -> Result<Idic, Mistakes> {
        Idic::of(Document::read(path, places, LONGEST)?, None)
    }

    /// As [`Idic::read`], for who collects: a variable of the environment that a cluster's password is in, and that is not
    /// set, is a mistake as well.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn read_to_collect(
        path: &Path,
        places: &Places,
        environment: &dyn Environment,
    ) -> Result<Idic, Mistakes> {
        Idic::of(Document::read(path, places, LONGEST)?, Some(environment))
    }

    /// Takes a text as if it were that file's.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn parse(text: &str, path: &Path) -> Result<Idic, Mistakes> {
        Idic::of(Document::parse(text, path)?, None)
    }

    fn of(document: Document, environment: Option<&dyn Environment>) -> Result<Idic, Mistakes> {
        let document = document.with_small_keys();
        let (draft, mut mistakes, mut notices) = document.read_as::<Draft>();
        // Another version has other keys: its own mistake is all that is known of it.
        if let Some(wrong) = wrong_version(&document) {
            return Err(wrong.into());
        }
        let Some(mut draft) = draft else {
            Mistakes::check(mistakes)?;
            let what = "was not understood";
            return Err(Mistake::new(document.place(), what, "report this fault of the program").into());
        };
        let at = document.place();
        check_groups(&mut draft, &mut mistakes, &mut notices);
        pass_over_twins(&mut draft.clusters, &mut notices);
        check_passwords(&draft.clusters, environment, &mut mistakes);
        let is_nothing_fetched =
            draft.global.global.active_stat_groups.is_empty() && !draft.summary_stats.any();
        if draft.read_whole && is_nothing_fetched {
            let what = "names nothing that is fetched";
            let advice = "name groups in active_stat_groups of [global], or switch on one of [summary_stats]";
            mistakes.push(Mistake::new(at.clone(), what, advice));
        }
        if draft.read_whole && draft.clusters.is_empty() {
            let what = "has no [[cluster]]";
            mistakes.push(Mistake::new(at.clone(), what, "write one for each cluster"));
        }
        let has_plain = draft
            .clusters
            .iter()
            .flatten()
            .any(|cluster| matches!(cluster.password, SecretSource::Plain(_)));
        Mistakes::check(mistakes)?;
        let clusters: Vec<Cluster> = draft.clusters.into_iter().flatten().collect();
        if clusters.iter().all(|cluster| cluster.disabled) {
            notices.push(format!(
                "{at}: every [[cluster]] is disabled: nothing is collected"
            ));
        }
        if has_plain && document.is_readable_by_others() {
            notices.push(format!(
                "{at}: it holds passwords, and every user of this host may read it; run chmod o= {at}"
            ));
        }
        if document.is_handed_on() {
            notices.push(format!(
                "{at}: this user may not read it, so a change of it counts at the next start only; run chgrp tidemark {at}, \
                 and chmod g+r {at}"
            ));
        }
        let notes = notes(&at, &draft.global.not_needed, &draft.logging);
        let groups = draft.statgroups.into_iter().map(|group| StatGroup {
            place: group.place,
            name: group.name.text,
            update_interval: group.update_interval,
            stats: group.stats.into_iter().map(|key| key.text).collect(),
        });
        Ok(Idic {
            global: draft.global.global,
            clusters,
            statgroups: groups.collect(),
            summary_stats: draft.summary_stats,
            back_end: draft.global.back_end,
            document: Arc::new(document),
            notices,
            notes,
        })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.document.path()
    }

    /// The clusters that are not disabled.
    pub fn active_clusters(&self) -> impl Iterator<Item = &Cluster> {
        self.clusters.iter().filter(|cluster| !cluster.disabled)
    }

    /// The groups that are fetched, in the order of the file.
    pub fn active_groups(&self) -> impl Iterator<Item = &StatGroup> {
        let active: BTreeSet<&str> = self
            .global
            .active_stat_groups
            .iter()
            .map(String::as_str)
            .collect();
        self.statgroups
            .iter()
            .filter(move |group| active.contains(group.name.as_str()))
    }

    /// What somebody should know, and nothing ends for: a sentence each, with its place.
    #[must_use]
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// The keys for which tidemark has something of its own, a sentence each; to be said once.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

/// The file as it stands.
struct Draft {
    global: GlobalDraft,
    /// In the place of one that is passed over is none.
    clusters: Vec<Option<Cluster>>,
    statgroups: Vec<GroupDraft>,
    summary_stats: SummaryStats,
    logging: Vec<&'static str>,
    /// Whether each section was read without a mistake.
    read_whole: bool,
}

const fn section(name: &'static str, type_name: &'static str, keys: &'static [Key]) -> Key {
    Key {
        name,
        type_name,
        default: None,
        help: "",
        keys,
    }
}

impl Section for Draft {
    const SUMMARY: &'static str = "The file of gostats.";
    const KEYS: &'static [Key] = &[
        section("global", GlobalDraft::TYPE, GlobalDraft::KEYS),
        section("logging", Logging::TYPE, Logging::KEYS),
        section("influxdb", "table", &[]),
        section("influxdbv2", "table", &[]),
        section("prometheus", "table", &[]),
        section("prom_http_sd", "table", &[]),
        section("cluster", cluster::Draft::LIST_TYPE, cluster::Draft::KEYS),
        section("summary_stats", SummaryStats::TYPE, SummaryStats::KEYS),
        section("statgroup", GroupDraft::LIST_TYPE, GroupDraft::KEYS),
    ];
    const UNKNOWN: UnknownKeys = UnknownKeys::Notice;

    /// What can be read is, so that the mistakes between sections are found beside those in them.
    fn read(section: &mut SectionReader<'_>) -> Option<Draft> {
        let global = section.required::<GlobalDraft>("global");
        let logging = section.required::<Logging>("logging");
        let clusters = section.optional::<Vec<cluster::Draft>>("cluster");
        let summary_stats = section.required::<SummaryStats>("summary_stats");
        let statgroups = section.optional::<Vec<GroupDraft>>("statgroup");
        let read_whole =
            logging.is_some() && clusters.is_some() && summary_stats.is_some() && statgroups.is_some();
        let clusters = clusters.flatten().unwrap_or_default();
        Some(Draft {
            global: global?,
            clusters: clusters
                .into_iter()
                .map(|cluster::Draft(cluster)| cluster)
                .collect(),
            statgroups: statgroups.flatten().unwrap_or_default(),
            summary_stats: summary_stats.unwrap_or_default(),
            logging: logging.map(|Logging(keys)| keys).unwrap_or_default(),
            read_whole,
        })
    }
}

/// The mistake in a version that is there and is not one that is read.
fn wrong_version(document: &Document) -> Option<Mistake> {
    let (_, mistakes, _) = document.section::<Version>("global");
    mistakes.into_iter().next()
}

/// `[global]` as far as its version.
struct Version;

impl Section for Version {
    const SUMMARY: &'static str = "What concerns all clusters.";
    const KEYS: &'static [Key] = GlobalDraft::KEYS;
    const UNKNOWN: UnknownKeys = UnknownKeys::Notice;

    fn read(section: &mut SectionReader<'_>) -> Option<Version> {
        section
            .optional::<crate::global::Version>("version")
            .map(|_| Version)
    }
}

/// Finds the groups that are fetched, and what is wrong between groups.
fn check_groups(draft: &mut Draft, mistakes: &mut Vec<Mistake>, notices: &mut Vec<String>) {
    let mut groups: BTreeMap<&str, &GroupDraft> = BTreeMap::new();
    for group in &draft.statgroups {
        if let Some(first) = groups.get(group.name.text.as_str()) {
            let what = format!(
                "the name {} is that of another [[statgroup]], at",
                quoted(&group.name.text)
            );
            let mistake = Mistake::new(group.name.at.clone(), what, "give each a name of its own");
            mistakes.push(mistake.beside(first.name.at.clone()));
            continue;
        }
        groups.insert(&group.name.text, group);
    }
    let mut active = Vec::new();
    let mut named = BTreeSet::new();
    let mut keys: BTreeMap<&str, &Position> = BTreeMap::new();
    for name in &draft.global.active {
        let shown = quoted(&name.text);
        let Some(group) = groups.get(name.text.as_str()) else {
            if draft.read_whole {
                notices.push(format!(
                    "{}: `active_stat_groups` names {shown}, which is no [[statgroup]] of the file: it is passed over",
                    name.at
                ));
            }
            continue;
        };
        if !named.insert(name.text.as_str()) {
            notices.push(format!("{}: `active_stat_groups` names {shown} twice", name.at));
            continue;
        }
        active.push(name.text.clone());
        for key in &group.stats {
            if let Some(first) = keys.insert(&key.text, &key.at) {
                let what = format!("{} is in a group that is fetched already, at", quoted(&key.text));
                let mistake = Mistake::new(key.at.clone(), what, "remove it from one of them");
                mistakes.push(mistake.beside(first.clone()));
            }
        }
    }
    draft.global.global.active_stat_groups = active;
}

/// Passes over a cluster that is there already: what is collected from it is the same.
fn pass_over_twins(clusters: &mut [Option<Cluster>], notices: &mut Vec<String>) {
    let mut hosts: BTreeMap<String, Position> = BTreeMap::new();
    for slot in clusters {
        let Some(cluster) = slot.as_ref().filter(|cluster| !cluster.disabled) else {
            continue;
        };
        let host = cluster.hostname.to_ascii_lowercase();
        if let Some(first) = hosts.get(&host) {
            let (at, shown) = (&cluster.place, quoted(&cluster.hostname));
            notices.push(format!(
                "{at}: [[cluster]] {shown} is there already, at {first}: it is passed over"
            ));
            *slot = None;
        } else {
            hosts.insert(host, cluster.place.clone());
        }
    }
}

/// Finds passwords that are in a variable that is not set.
fn check_passwords(
    clusters: &[Option<Cluster>],
    environment: Option<&dyn Environment>,
    mistakes: &mut Vec<Mistake>,
) {
    for cluster in clusters.iter().flatten().filter(|cluster| !cluster.disabled) {
        if let (Some(environment), SecretSource::Environment(name)) = (environment, &cluster.password)
            && environment.get(name).is_none()
        {
            let what = format!("`password` is in ${name}, which is not set");
            let advice = "set this environment variable, for units in /etc/default/tidemark";
            mistakes.push(Mistake::new(cluster.password_place.clone(), what, advice));
        }
    }
}

/// What is said of the keys of which tidemark needs nothing.
fn notes(at: &Position, of_global: &[&str], of_logging: &[&str]) -> Vec<String> {
    let listed = |keys: &[&str]| {
        let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
        keys.join(", ")
    };
    let set = |keys: &[&str]| -> Vec<&str> {
        let set = of_global.iter().filter(|key| keys.contains(key));
        set.copied().collect()
    };
    let what = [
        (
            "[logging]",
            of_logging.to_vec(),
            "the log goes to the journal, or to standard error, and -v shows more of it",
        ),
        (
            "[global]",
            set(&RETRIES_OF_REQUESTS),
            "a cluster that fails is asked again for ever, after pauses that grow",
        ),
        (
            "[global]",
            set(&RETRIES_OF_WRITES),
            "what cannot be written waits in the outbox until it is taken",
        ),
    ];
    what.into_iter()
        .filter(|(_, keys, _)| !keys.is_empty())
        .map(|(section, keys, why)| format!("{at}: {} of {section}: not needed, as {why}", listed(&keys)))
        .collect()
}
