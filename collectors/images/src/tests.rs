//! Whole runs of the collector against a real rsync daemon with the tree `fixtures/cdimage.tree`, and against programs in
//! rsync's place.
//!
//! `TIDEMARK_REFRESH=1` writes the expected points and the recorded listings anew; read them as a diff.

use std::fs;
use std::path::{Path, PathBuf};

use tidemark_collect::{Batch, DefaultState, ManualClock, Strictness, defaults, line, run_once};
use tidemark_testkit::{Answer, Home, RsyncDaemon, Source, asked, free_port};

use super::*;
use crate::path::Series;

/// 2026-03-01 12:00:00 UTC.
const NOW: i64 = 1_772_366_400;
/// The series that are active then.
const ACTIVE: [&str; 8] = [
    "trusty", "xenial", "bionic", "focal", "jammy", "noble", "questing", "resolute",
];
/// Where the listings are recorded.
const LISTINGS: &str = "listings.txt";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn fixture(name: &str) -> String {
    let path = fixtures().join(name);
    fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// What the fixture of that name should hold; with the switch, it holds that.
#[track_caller]
fn assert_fixture(name: &str, text: &str) {
    if asked("TIDEMARK_REFRESH").is_some() {
        fs::write(fixtures().join(name), text).unwrap();
    }
    assert_eq!(text, fixture(name), "{name}");
}

fn text(batch: &Batch) -> String {
    String::from_utf8(line::write(&batch.points, line::Dialect::V1)).unwrap()
}

/// A host, and the sources.
struct Scene {
    root: Home,
    launchpad: Source,
    images: Images,
    now: Timestamp,
    deadline: Duration,
}

impl Scene {
    /// With Launchpad as it is on a good day, and a file of distro-info.
    fn new(url: String) -> Self {
        let launchpad = Source::http();
        let entries =
            ACTIVE.map(|name| format!(r#"{{"name": "{name}", "active": true, "status": "Supported"}}"#));
        let mantic = r#"{"name": "mantic", "active": false, "status": "Obsolete"}"#;
        let page = format!(
            r#"{{"start": 0, "total_size": 9, "entries": [{mantic}, {}]}}"#,
            entries.join(", ")
        );
        launchpad.route("/devel/ubuntu/series", Answer::ok(page));
        let scene = Self {
            root: Home::new(),
            images: Images {
                url,
                launchpad: launchpad.url("/devel/").parse().unwrap(),
                ..defaults().unwrap()
            },
            launchpad,
            now: Timestamp::from_secs(NOW).unwrap(),
            deadline: Duration::from_secs(60),
        };
        scene.distro_info(
            "version,codename,series,created,release,eol,eol-server,eol-esm\n\
             14.04 LTS,Trusty Tahr,trusty,2013-10-17,2014-04-17,2019-04-25,2019-04-25,2024-04-25\n\
             23.10,Mantic Minotaur,mantic,2023-04-20,2023-10-12,2024-07-11\n\
             24.04 LTS,Noble Numbat,noble,2023-10-12,2024-04-25,2029-05-31,2029-05-31,2036-04-25\n\
             26.04 LTS,Resolute Raccoon,resolute,2025-10-09,2026-04-23,2031-05-29,2031-05-29,2036-04-23\n",
        );
        scene
    }

    /// With a program in rsync's place: a script of sh, whose `$1` is what it is to list.
    fn fake(script: &str) -> Self {
        let mut scene = Self::new("rsync://mirror.example/cdimage".to_owned());
        let script = format!("while [ $# -gt 2 ]; do shift; done\n{script}");
        let program = scene.root.script("rsync", &script);
        scene.images.rsync = program.display().to_string();
        scene
    }

    fn distro_info(&self, text: &str) {
        let folder = self.root.path().join("usr/share/distro-info");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("ubuntu.csv"), text).unwrap();
    }

    fn run(&self) -> Batch {
        let cx = Context::builder()
            .metric::<Images>()
            .clock(ManualClock::new(self.now))
            .host_root(self.root.path())
            .deadline(self.deadline)
            .strictness(Strictness::Strict)
            .build();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(run_once(&self.images, &cx))
    }
}

/// Ubuntu's images, served by a real rsync.
fn cdimage() -> RsyncDaemon {
    let daemon = RsyncDaemon::start();
    daemon.fill(&fixture("cdimage.tree"));
    daemon
}

#[test]
fn a_tree_of_real_names_gives_the_expected_points() {
    let daemon = cdimage();
    let batch = Scene::new(daemon.url("")).run();
    assert_eq!(
        (batch.error.as_deref(), &batch.gaps[..], &batch.notices[..]),
        (None, &[][..], &[][..]),
        "{}",
        daemon.log()
    );
    assert_fixture("expected.influx", &text(&batch));
}

/// The listings of the tree are recorded, as rsync prints them. Folders' times and sizes are the disk's.
#[test]
fn the_recorded_listings_are_those_of_the_tree() {
    let daemon = cdimage();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut all = String::new();
    for pattern in patterns() {
        let listed = runtime.block_on(rsync::list(
            "rsync",
            &daemon.url(""),
            &pattern,
            Within::new(LIMIT),
        ));
        assert_eq!(listed.failure, None, "{pattern}");
        all += &format!("== {pattern}\n");
        for line in listed.text.lines() {
            let is_folder = line.ends_with('/');
            let path = line.splitn(3, ' ').last().unwrap_or_default();
            let line = if is_folder {
                format!("4096 2026/03/01-06:00:00 {path}")
            } else {
                line.to_owned()
            };
            all += &format!("{line}\n");
        }
    }
    assert_fixture(LISTINGS, &all);
}

#[test]
fn the_recorded_listings_give_the_expected_points() {
    let series = Series {
        active: ACTIVE.map(str::to_owned).into(),
        is_complete: true,
    };
    let cx = Context::builder().build();
    let mut found = Found::default();
    let recorded = fixture(LISTINGS);
    let mut listings = 0;
    for listing in recorded.split("== ").skip(1) {
        let (pattern, text) = listing.split_once('\n').unwrap();
        found.take(&cx, pattern, listing::parse(text, &series));
        listings += 1;
    }
    assert_eq!((listings, cx.take_gaps()), (15, vec![]));
    let (points, _) = found.points(&cx, Timestamp::from_secs(NOW).unwrap()).into_parts();
    let written = String::from_utf8(line::write(&points, line::Dialect::V1)).unwrap();
    assert_eq!(written, fixture("expected.influx"));
}

/// Lists one image in each of the fifteen listings.
const EACH: &str = r#"path=${1#rsync://mirror.example/cdimage/}
case $path in
    daily*) folder=daily-live/current ;;
    '*/daily'*) folder=kubuntu/daily-live/current ;;
    '*/dvd'*) folder=ubuntukylin/dvd/current ;;
    '*/*/daily'*) folder=lubuntu/noble/daily-minimal/current ;;
    *) folder=ubuntustudio/jammy/dvd/current ;;
esac
echo "5 2026/02/28-00:00:00 $folder/jammy-x-y${path##*'*'}""#;

#[test]
fn fifteen_listings_are_asked_for_side_by_side() {
    // None ends before all have begun.
    let scene = Scene::fake(&format!(
        "cd \"${{0%/*}}\"\nmkdir -p begun\n: >\"begun/$$\"\n\
         while [ $(ls begun | wc -l) -lt 15 ]; do sleep 0.2; done\necho \"$1\" >>asked\n{EACH}"
    ));
    let batch = scene.run();
    assert_eq!((batch.error.as_deref(), &batch.gaps[..]), (None, &[][..]));
    let text = fs::read_to_string(scene.root.path().join("asked")).unwrap();
    let mut asked: Vec<&str> = text.lines().collect();
    asked.sort_unstable();
    let mut expected = patterns();
    expected.sort_unstable();
    let base = "rsync://mirror.example/cdimage/";
    assert_eq!(
        asked,
        expected
            .iter()
            .map(|pattern| format!("{base}{pattern}"))
            .collect::<Vec<_>>()
    );
}

/// The points of [`EACH`]: the three kinds are one image.
const FIVE: &str = "\
daily_image_details,architecture=y,current_or_pending=current,flavor=kubuntu,image_type=live,release=jammy age=1i,size=5i 1772366400000000000
daily_image_details,architecture=y,current_or_pending=current,flavor=lubuntu,image_type=minimal,release=jammy age=1i,size=5i 1772366400000000000
daily_image_details,architecture=y,current_or_pending=current,flavor=ubuntu,image_type=live,release=jammy age=1i,size=5i 1772366400000000000
daily_image_details,architecture=y,current_or_pending=current,flavor=ubuntukylin,image_type=dvd,release=jammy age=1i,size=5i 1772366400000000000
daily_image_details,architecture=y,current_or_pending=current,flavor=ubuntustudio,image_type=dvd,release=jammy age=1i,size=5i 1772366400000000000
";

#[test]
fn an_image_of_several_listings_is_one_point_and_the_last_counts() {
    assert_eq!(text(&Scene::fake(EACH).run()), FIVE);
    let script = "case $1 in
        */cdimage/daily*.iso) echo '1 2026/02/01-00:00:00 daily-live/current/noble-desktop-amd64.iso'
            echo '2 2026/02/02-00:00:00 daily-live/current/noble-other-amd64.iso' ;;
        */cdimage/?/daily*.iso) echo '3 2026/02/03-00:00:00 noble/daily-live/current/noble-desktop-amd64.iso'
            echo '4 2026/02/04-00:00:00 noble/daily-live/pending/noble-desktop-amd64.iso' ;;
        esac";
    let batch = Scene::fake(script).run();
    assert_eq!((batch.error.as_deref(), &batch.gaps[..]), (None, &[][..]));
    assert_eq!(
        text(&batch),
        "daily_image_details,architecture=amd64,current_or_pending=current,flavor=ubuntu,image_type=live,release=noble \
         age=26i,size=3i 1772366400000000000\n\
         daily_image_details,architecture=amd64,current_or_pending=pending,flavor=ubuntu,image_type=live,release=noble \
         age=25i,size=4i 1772366400000000000\n"
    );
}

#[test]
fn listings_that_fail_are_told_together_and_the_others_count() {
    let fails = |broken: &str, how: &str| {
        let scene = Scene::fake(&format!("case $1 in\n{broken}) {how} ;;\nesac\n{EACH}"));
        let batch = scene.run();
        assert_eq!(batch.error, None);
        (batch.gaps.join("\n"), text(&batch))
    };
    // All those of dvds.
    let (gaps, lines) = fails(
        "*/dvd/*",
        "echo 'rsync: [Receiver] luck has gone (5)' >&2; exit 12",
    );
    assert_eq!(
        gaps,
        "6 of 15 listings of rsync://mirror.example/cdimage/ (*/dvd/*/*.iso, */dvd/*/*.img.xz, */dvd/*/*.wsl and 3 more): \
         rsync ended with code 12: [Receiver] luck has gone (5)"
    );
    let expected: String = FIVE
        .lines()
        .filter(|line| !line.contains("dvd"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(lines, expected);
    // One, which breaks off.
    let (gaps, lines) = fails(
        "*/cdimage/daily*.img.xz",
        "echo '7 2026/02/28-00:00:00 daily-live/current/noble-a-b.img.xz'; printf '8 2026/02/28-00:00:00 daily-live/curr'; exit 30",
    );
    assert_eq!(
        gaps,
        "the listing rsync://mirror.example/cdimage/daily*/*/*.img.xz, of which what came counts: rsync ended with code \
         30 and said nothing"
    );
    assert_eq!(lines.lines().count(), 6);
    assert!(lines.contains("release=noble age=1i,size=7i"), "{lines}");
    // Each in its own way.
    let (gaps, lines) = fails("*.wsl", "kill -TERM $$");
    assert_eq!(
        gaps,
        "5 of 15 listings of rsync://mirror.example/cdimage/ (daily*/*/*.wsl, */daily*/*/*.wsl, */dvd/*/*.wsl and 2 more): \
         rsync was ended by signal 15 and said nothing"
    );
    assert_eq!(lines, FIVE);
    let (gaps, _) = fails("*.iso", "echo \"$1\" >&2; exit $((1 + $$ % 2))");
    assert!((2..=5).contains(&gaps.lines().count()), "{gaps}");
}

#[test]
fn where_all_fail_the_run_is_an_error_that_says_why_once() {
    let mut scene = Scene::new(format!("rsync://127.0.0.1:{}/cdimage", free_port()));
    let batch = scene.run();
    let error = batch.error.unwrap();
    assert!(
        error.starts_with(&format!(
            "all 15 listings of {}/: rsync ended with code 10: ",
            scene.images.url
        )) && error.contains("Connection refused"),
        "{error}"
    );
    assert_eq!((batch.points.len(), &batch.gaps[..]), (0, &[][..]));
    scene.images.rsync = "/nowhere/rsync".to_owned();
    assert_eq!(
        scene.run().error.unwrap(),
        format!(
            "all 15 listings of {}/: there is no program \"/nowhere/rsync\": install the package rsync, or say in `rsync` where \
             it is",
            scene.images.url
        )
    );
    // Of two reasons, the second is a gap.
    let scene = Scene::fake("case $1 in *.wsl) exit 1 ;; esac\nexit 2");
    let batch = scene.run();
    assert!(batch.error.unwrap().starts_with("10 of 15 listings"));
    assert!(
        batch.gaps.len() == 1 && batch.gaps[0].starts_with("5 of 15 listings"),
        "{:?}",
        batch.gaps
    );
}

#[test]
fn where_there_is_no_image_at_all_the_run_is_an_error() {
    let daemon = RsyncDaemon::start();
    let scene = Scene::new(daemon.url(""));
    let said = "has no daily image that is called current or pending: is it the root of Ubuntu's images?";
    assert_eq!(scene.run().error.unwrap(), format!("{} {said}", daemon.url("")));
    daemon.file("daily-live/20260228/resolute-desktop-amd64.iso", 5, 0);
    assert_eq!(scene.run().error.unwrap(), format!("{} {said}", daemon.url("")));
    // One is enough.
    daemon.link("daily-live/current", "20260228");
    let batch = scene.run();
    assert_eq!((batch.error, batch.points.len(), batch.gaps.len()), (None, 1, 0));
}

#[test]
fn one_that_hangs_costs_no_other_its_time() {
    let mut scene = Scene::fake(&format!("case $1 in */dvd/*.iso) exec sleep 600 ;; esac\n{EACH}"));
    scene.deadline = Duration::from_secs(30);
    scene.launchpad.route("/devel/ubuntu/series", Answer::hang());
    let batch = scene.run();
    assert_eq!(batch.error, None);
    let said = "2 of 15 listings of rsync://mirror.example/cdimage/ (*/dvd/*/*.iso, */*/dvd/*/*.iso): rsync was not done \
        within ";
    let (launchpad, listings) = (&batch.gaps[0], &batch.gaps[1]);
    assert!(
        launchpad.starts_with("the active series: ") && listings.starts_with(said),
        "{:?}",
        batch.gaps
    );
    assert_eq!(batch.gaps.len(), 2);
    assert_eq!(text(&batch), FIVE);
}

#[test]
fn lines_that_are_wrong_are_gaps_and_the_others_count() {
    let scene = Scene::fake(&format!(
        "case $1 in */cdimage/daily*.iso) yes 'x daily-live/current/y.iso' | head -n 10 ;; esac\n{EACH}"
    ));
    let batch = scene.run();
    let in_it = |remark: &str| format!("in the listing daily*/*/*.iso: {remark}");
    let mut expected = vec![in_it("\"x daily-live/current/y.iso\" is not a size, a time and a path"); 5];
    expected.push(in_it("and 5 more"));
    assert_eq!(batch.gaps, expected);
    assert_eq!((batch.error.as_deref(), text(&batch).as_str()), (None, FIVE));
}

/// One image of Ubuntu's own in a series' folder, one of a flavor.
const TWO: &str = "case $1 in */cdimage/?/daily*.iso)
    echo '5 2026/02/28-00:00:00 noble/daily-live/current/noble-x-y.iso'
    echo '5 2026/02/28-00:00:00 trusty/daily-live/current/trusty-x-y.iso'
    echo '5 2026/02/28-00:00:00 kubuntu/daily-live/current/resolute-x-y.iso' ;;
    esac";

/// Flavor and release of each point, and the gaps.
fn flavors(scene: &Scene) -> (String, Vec<String>) {
    let batch = scene.run();
    assert_eq!(batch.error, None);
    let tag = |point: &tidemark_collect::Point, name: &str| point.tag(name).unwrap_or_default().to_owned();
    let each = batch.points.iter();
    let each = each.map(|point| format!("{} {}", tag(point, "flavor"), tag(point, "release")));
    (each.collect::<Vec<_>>().join(", "), batch.gaps)
}

#[test]
fn the_active_series_are_launchpads() {
    let scene = Scene::fake(TWO);
    assert_eq!(
        flavors(&scene),
        ("kubuntu resolute, ubuntu noble, ubuntu trusty".to_owned(), vec![])
    );
    assert_eq!(scene.launchpad.requests().len(), 1);
}

#[test]
fn the_settings_series_are_asked_of_nobody() {
    let mut scene = Scene::fake(TWO);
    scene.images.series = vec!["noble".to_owned()];
    assert_eq!(
        flavors(&scene),
        ("kubuntu resolute, trusty trusty, ubuntu noble".to_owned(), vec![])
    );
    assert_eq!(scene.launchpad.requests().len(), 0);
}

#[test]
fn without_launchpad_distro_info_says_some_of_them() {
    let scene = Scene::fake(TWO);
    scene.launchpad.route("/devel/ubuntu/series", Answer::new(500));
    // Whether trusty is active, the file does not say: its support is longer than the file knows.
    let (flavors, gaps) = flavors(&scene);
    assert_eq!(flavors, "kubuntu resolute, ubuntu noble");
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert!(
        gaps[0].starts_with(
            "the active series: one image is left out, as without them it is not known whose it is: http://"
        ) && gaps[0].contains("500")
            && gaps[0].ends_with("; those of /usr/share/distro-info/ubuntu.csv count instead"),
        "{gaps:?}"
    );
}

#[test]
fn where_nobody_knows_the_series_what_depends_on_them_is_left_out() {
    let scene = Scene::fake(TWO);
    scene.launchpad.close();
    for text in [
        "version,codename\n",
        "",
        "version,codename,series,created,release,eol\n1,Old One,one,2001-01-01,2002-01-01,2003-01-01\n",
    ] {
        scene.distro_info(text);
        let (flavors, gaps) = flavors(&scene);
        assert_eq!(flavors, "kubuntu resolute");
        assert_eq!(gaps.len(), 1, "{gaps:?}");
        assert!(
            gaps[0].starts_with("the active series: 2 images are left out")
                && gaps[0].contains("Connection refused")
                && gaps[0].contains("distro-info-data"),
            "{gaps:?}"
        );
    }
    // Nothing is left then.
    let scene = Scene::fake(
        "case $1 in */cdimage/?/daily*.iso) echo '5 2026/02/28-00:00:00 noble/daily/current/noble-x-y.iso' ;; esac",
    );
    scene.launchpad.close();
    scene.distro_info("");
    let batch = scene.run();
    assert_eq!(
        batch.error.as_deref(),
        Some("no image is left: without the active series it is not known whose they are")
    );
    assert_eq!(batch.gaps.len(), 1);
    assert!(
        batch.gaps[0].starts_with("the active series: one image is left out, "),
        "{:?}",
        batch.gaps
    );
}

#[test]
fn ages_are_whole_days_and_never_negative() {
    let age = |now: &str, modified: &str| {
        let mut scene = Scene::fake(&format!(
            "case $1 in */cdimage/daily*.iso) echo '5 {modified} daily-live/current/noble-x-y.iso' ;; esac"
        ));
        let now = chrono::NaiveDateTime::parse_from_str(now, "%Y/%m/%d-%H:%M:%S%.f")
            .unwrap()
            .and_utc();
        scene.now = Timestamp::from_nanos(now.timestamp_nanos_opt().unwrap()).unwrap();
        let batch = scene.run();
        let age = batch.points[0].field("age").cloned();
        (age, batch.notices)
    };
    for (now, modified, days) in [
        ("2026/03/01-12:00:00.0", "2026/03/01-12:00:00", 0),
        ("2026/03/01-12:00:00.0", "2026/02/28-12:00:01", 0),
        ("2026/03/01-12:00:00.0", "2026/02/28-12:00:00", 1),
        ("2026/03/01-12:00:00.999", "2026/02/28-12:00:01", 0),
        // Midnight is no boundary of its own.
        ("2026/03/01-00:00:01.0", "2026/02/28-23:59:59", 0),
        // Over a leap day.
        ("2024/03/01-00:00:00.0", "2024/02/28-00:00:00", 2),
        ("2024/02/29-23:59:59.0", "2024/02/28-23:59:59", 1),
        ("2023/03/01-00:00:00.0", "2023/02/28-00:00:00", 1),
        ("2026/03/01-12:00:00.0", "1970/01/01-00:00:00", 20_513),
        ("2026/03/01-12:00:00.0", "0001/01/01-00:00:00", 739_675),
    ] {
        assert_eq!(
            age(now, modified),
            (Some(days.into()), vec![]),
            "{modified} at {now}"
        );
    }
    let (days, notices) = age("2026/03/01-12:00:00.5", "2026/03/01-12:00:01");
    assert_eq!(days, Some(0.into()));
    assert_eq!(
        notices,
        ["images dated in the future: 1, by up to 1 s (ubuntu noble y); one of the clocks is wrong"]
    );
    assert_eq!(
        age("2026/03/01-12:00:00.0", "9999/12/31-23:59:59").0,
        Some(0.into())
    );
}

#[test]
fn an_address_that_is_none_of_rsyncs() {
    for url in [
        "",
        "cdimage.ubuntu.com::cdimage",
        "http://cdimage.ubuntu.com/",
        "rsync:///cdimage/",
        "rsync://cdimage.ubuntu.com",
        "rsync://user:secret@cdimage.ubuntu.com/cdimage/",
        "rsync://cdimage.ubuntu.com/cdi\nmage/",
        "/srv/cdimage/",
        "--rsh=sh",
    ] {
        let error = Scene::new(url.to_owned()).run().error.unwrap();
        assert!(
            error.starts_with("`url` of [collector.images] is not the address") && !error.contains("secret"),
            "{url}: {error}"
        );
    }
}

#[test]
fn without_settings_it_asks_ubuntu() {
    let images: Images = defaults().unwrap();
    assert_eq!(images.base().unwrap(), "rsync://cdimage.ubuntu.com/cdimage/");
    assert_eq!(
        (
            images.rsync.as_str(),
            images.launchpad.as_str(),
            images.distro_info.as_str(),
            images.series.len()
        ),
        (
            "rsync",
            "https://api.launchpad.net/devel/",
            "/usr/share/distro-info/ubuntu.csv",
            0
        )
    );
    assert_eq!(Images::RUN_INTERVAL.to_string(), "5m");
    assert_eq!(Images::DEFAULT, DefaultState::Off);
    assert_eq!(
        (Images::NEEDS.network, Images::NEEDS.programs),
        (true, &["rsync"][..])
    );
    assert_eq!(patterns().len(), 15);
}
