//! Paths and lines of listings, as literals: what counts, as what, and what is said of the rest.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by failing loudly, in its helpers too"
)]

use proptest::prelude::*;
use tidemark_images::listing::{Image, parse};
use tidemark_images::path::{Fault, Identity, MAX_TAG, Series, identify};
use tidemark_testkit::ubuntu::{self, Size};

fn known() -> Series {
    let series = [
        "trusty", "xenial", "bionic", "focal", "jammy", "noble", "questing", "resolute",
    ];
    Series {
        active: series.map(str::to_owned).into(),
        is_complete: true,
    }
}

/// Flavor, release, current or pending, architecture, type; what is wrong; or `-` where the path does not count.
fn said(path: &str, series: &Series) -> String {
    match identify(path, series) {
        Ok(None) => "-".to_owned(),
        Ok(Some(identity)) => shown(&identity),
        Err(fault) => format!("{fault:?}"),
    }
}

fn shown(identity: &Identity) -> String {
    let Identity {
        flavor,
        release,
        current_or_pending,
        architecture,
        image_type,
    } = identity;
    let kind = image_type.as_deref().unwrap_or("-");
    format!("{flavor} {release} {current_or_pending} {architecture} {kind}")
}

#[track_caller]
fn all(series: &Series, expected: &[(&str, &str)]) {
    for (path, what) in expected {
        assert_eq!(said(path, series), *what, "{path}");
    }
}

#[test]
fn the_images_that_there_are() {
    all(
        &known(),
        &[
            (
                "daily-live/current/resolute-desktop-amd64.iso",
                "ubuntu resolute current amd64 live",
            ),
            (
                "daily-live/pending/noble-desktop-arm64+x13s.iso",
                "ubuntu noble pending arm64+x13s live",
            ),
            (
                "daily-preinstalled/current/resolute-preinstalled-desktop-arm64+raspi.img.xz",
                "ubuntu resolute current arm64+raspi preinstalled",
            ),
            (
                "noble/daily-live/current/noble-desktop-amd64.iso",
                "ubuntu noble current amd64 live",
            ),
            (
                "trusty/daily-live/pending/trusty-desktop-i386.iso",
                "ubuntu trusty pending i386 live",
            ),
            (
                "daily-legacy/current/lunar-desktop-legacy-amd64.iso",
                "daily-legacy lunar current amd64 legacy",
            ),
            (
                "daily/current/feisty-alternate-amd64.iso",
                "daily feisty current amd64 -",
            ),
            (
                "kubuntu/daily-live/current/resolute-desktop-amd64.iso",
                "kubuntu resolute current amd64 live",
            ),
            (
                "kubuntu/noble/daily-live/current/noble-desktop-amd64.iso",
                "kubuntu noble current amd64 live",
            ),
            (
                "xubuntu/daily-minimal/current/resolute-minimal-amd64.iso",
                "xubuntu resolute current amd64 minimal",
            ),
            (
                "ubuntu-server/daily-live/current/resolute-live-server-s390x.iso",
                "ubuntu-server resolute current s390x live",
            ),
            (
                "ubuntu-server/noble/daily-live/pending/noble-live-server-arm64+largemem.iso",
                "ubuntu-server noble pending arm64+largemem live",
            ),
            (
                "ubuntu-server/jammy/daily-preinstalled/current/jammy-preinstalled-server-riscv64+unmatched.img.xz",
                "ubuntu-server jammy current riscv64+unmatched preinstalled",
            ),
            (
                "ubuntu-server/bionic/daily/current/bionic-server-ppc64el.iso",
                "ubuntu-server bionic current ppc64el -",
            ),
            (
                "ubuntu-wsl/daily-live/current/resolute-wsl-amd64.wsl",
                "ubuntu-wsl resolute current amd64 live",
            ),
            (
                "ubuntu-wsl/noble/daily-live/current/noble-wsl-arm64.wsl",
                "ubuntu-wsl noble current arm64 live",
            ),
            (
                "ubuntu-mini-iso/daily-live/current/resolute-mini-iso-amd64.iso",
                "ubuntu-mini-iso resolute current amd64 live",
            ),
            (
                "edubuntu/daily-preinstalled/current/resolute-preinstalled-desktop-arm64+raspi.img.xz",
                "edubuntu resolute current arm64+raspi preinstalled",
            ),
            (
                "kylin-old/dvd/current/resolute-dvd-amd64.iso",
                "kylin-old resolute current amd64 dvd",
            ),
        ],
    );
}

#[test]
fn what_does_not_count() {
    all(
        &known(),
        &[
            ("", "-"),
            ("/", "-"),
            ("daily-live/20261120/resolute-desktop-amd64.iso", "-"),
            ("daily-live/current/", "-"),
            ("daily-live/current/x.iso/", "-"),
            ("daily-live/current/resolute-desktop-amd64.iso.zsync", "-"),
            ("daily-live/current/resolute-desktop-amd64.ISO", "-"),
            ("daily-live/current/SHA256SUMS", "-"),
            // A link to what is elsewhere.
            ("ubuntu/daily-live/current/resolute-desktop-amd64.iso", "-"),
            ("ubuntu/noble/daily-live/current/odd name.iso", "-"),
            (
                "ubuntu-core/xenial/daily-preinstalled/current/ubuntu-core-16-amd64.img.xz",
                "-",
            ),
            (
                "ubuntu-core/xenial/daily-preinstalled/current/ubuntu-core-16.iso",
                "-",
            ),
        ],
    );
}

#[test]
fn current_wins_over_pending() {
    all(
        &known(),
        &[
            (
                "kubuntu/pending/daily-live/current/noble-desktop-amd64.iso",
                "kubuntu noble current amd64 live",
            ),
            (
                "kubuntu/current/daily-live/pending/noble-desktop-amd64.iso",
                "kubuntu noble current amd64 live",
            ),
            (
                "kubuntu/daily-live/pending/noble-current-amd64.iso",
                "kubuntu noble current amd64 live",
            ),
        ],
    );
}

#[test]
fn the_first_folder_is_the_flavor_unless_it_is_an_active_series() {
    all(
        &known(),
        &[
            (
                "jammy/daily-live/current/noble-desktop-amd64.iso",
                "ubuntu noble current amd64 live",
            ),
            (
                "artful/daily-live/current/artful-desktop-amd64.iso",
                "artful artful current amd64 live",
            ),
            (
                "ubuntukylin/noble/daily-live/current/noble-desktop-amd64.iso",
                "ubuntukylin noble current amd64 live",
            ),
            (
                "daily-live-x/daily-y/current/noble-desktop-amd64.iso",
                "daily-live-x noble current amd64 live-x",
            ),
        ],
    );
    let none = Series {
        is_complete: true,
        ..Series::default()
    };
    all(
        &none,
        &[(
            "noble/daily-live/current/noble-desktop-amd64.iso",
            "noble noble current amd64 live",
        )],
    );
    // Where nobody says which are, a folder that is called like its image's release may be one.
    let some = Series {
        is_complete: false,
        ..known()
    };
    all(
        &some,
        &[
            (
                "noble/daily-live/current/noble-desktop-amd64.iso",
                "ubuntu noble current amd64 live",
            ),
            ("artful/daily-live/current/artful-desktop-amd64.iso", "Series"),
        ],
    );
    all(
        &Series::default(),
        &[
            ("noble/daily-live/current/noble-desktop-amd64.iso", "Series"),
            (
                "daily-live/current/noble-desktop-amd64.iso",
                "ubuntu noble current amd64 live",
            ),
            (
                "daily-preinstalled/current/noble-x-armhf.img.xz",
                "ubuntu noble current armhf preinstalled",
            ),
            (
                "kubuntu/noble/daily-live/current/noble-desktop-amd64.iso",
                "kubuntu noble current amd64 live",
            ),
            ("noble/daily-live/20261120/noble-desktop-amd64.iso", "-"),
        ],
    );
}

#[test]
fn the_type_is_the_first_folder_that_says_one() {
    all(
        &known(),
        &[
            (
                "kubuntu/dvd/daily-live/current/noble-x-amd64.iso",
                "kubuntu noble current amd64 dvd",
            ),
            (
                "kubuntu/daily-live/dvd/current/noble-x-amd64.iso",
                "kubuntu noble current amd64 live",
            ),
            (
                "kubuntu/daily/dvd/current/noble-x-amd64.iso",
                "kubuntu noble current amd64 dvd",
            ),
            (
                "kubuntu/dvds/daily/current/noble-x-amd64.iso",
                "kubuntu noble current amd64 -",
            ),
            (
                "kubuntu/daily-/current/noble-x-amd64.iso",
                "kubuntu noble current amd64 -",
            ),
            (
                "kubuntu/daily-daily-live/current/noble-x-amd64.iso",
                "kubuntu noble current amd64 daily-live",
            ),
        ],
    );
}

#[test]
fn ubuntu_studio_has_its_dvds_of_two_releases() {
    all(
        &known(),
        &[
            (
                "ubuntustudio/dvd/current/noble-dvd-amd64.iso",
                "ubuntustudio noble current amd64 dvd",
            ),
            (
                "ubuntustudio/jammy/dvd/pending/jammy-dvd-amd64.iso",
                "ubuntustudio jammy pending amd64 dvd",
            ),
            ("ubuntustudio/dvd/current/resolute-dvd-amd64.iso", "-"),
            ("ubuntustudio/focal/dvd/current/focal-dvd-amd64.iso", "-"),
            // Not below `dvd`, though called so.
            (
                "ubuntustudio/daily-live/current/resolute-dvd-amd64.iso",
                "ubuntustudio resolute current amd64 live",
            ),
            (
                "ubuntukylin/dvd/current/resolute-dvd-amd64.iso",
                "ubuntukylin resolute current amd64 dvd",
            ),
        ],
    );
}

#[test]
fn release_and_architecture_are_words_of_the_name() {
    all(
        &known(),
        &[
            (
                "k/daily-live/current/noble-amd64.iso",
                "k noble current amd64 live",
            ),
            (
                "k/daily-live/current/noble-a-b_c+d.e.f.iso",
                "k noble current b_c+d live",
            ),
            (
                "k/daily-live/current/noble-x-amd64.2026-1.iso",
                "k noble current 1 live",
            ),
            (
                "k/daily-live/current/büro_9-厨房-ämd.iso",
                "k büro_9 current ämd live",
            ),
            ("k/daily-live/current/noble.iso", "Release"),
            ("k/daily-live/current/-x-amd64.iso", "Release"),
            ("k/daily-live/current/24.04-x-amd64.iso", "Release"),
            ("k/daily-live/current/no ble-x-amd64.iso", "Release"),
            ("k/daily-live/current/noble+x-amd64.iso", "Release"),
            ("k/daily-live/current/noble-x-.iso", "Architecture"),
            ("k/daily-live/current/noble-x-amd 64.iso", "Architecture"),
            ("k/daily-live/current/noble-x-am\u{1}d64.iso", "Architecture"),
        ],
    );
}

#[test]
fn a_part_that_cannot_be_a_tag() {
    let long = "k".repeat(MAX_TAG);
    let path = |flavor: &str| format!("{flavor}/daily-live/current/noble-x-amd64.iso");
    assert_eq!(
        said(&path(&long), &known()),
        format!("{long} noble current amd64 live")
    );
    assert_eq!(said(&path(&(long + "k")), &known()), "Tag");
    assert_eq!(said(&path("ku\nbuntu"), &known()), "Tag");
    let kind = "k/daily-li\u{7f}ve/current/noble-x-amd64.iso";
    assert_eq!(identify(kind, &known()), Err(Fault::Tag));
}

/// Of each image a line, then what is remarked.
fn lines(text: &str) -> String {
    let listing = parse(text, &known());
    let mut lines = String::new();
    for Image {
        identity,
        size,
        modified,
    } in &listing.images
    {
        lines += &format!("{} {size} {modified}\n", shown(identity));
    }
    assert_eq!(listing.unplaced, 0);
    for remark in listing.remarks.into_lines() {
        lines += &format!("{remark}\n");
    }
    lines
}

#[test]
fn a_line_is_a_size_a_time_and_a_path() {
    // As rsync prints them: folders, dated images, images by their links.
    let text = "\
4096 2026/11/20-08:02:11 daily-live/
4096 2026/11/20-08:02:11 daily-live/20261120/
6235383808 2026/11/20-07:34:05 daily-live/20261120/resolute-desktop-amd64.iso
4096 2026/11/20-08:02:11 daily-live/current/
6235383808 2026/11/20-07:34:05 daily-live/current/resolute-desktop-amd64.iso
0 1969/12/31-23:59:59 daily-live/current/resolute-desktop-arm64.iso
9223372036854775807 2024/02/29-00:00:00 daily-live/pending/resolute-desktop-amd64.iso
4096 2026/11/20-08:02:11 daily-live/pending/odd-folder-amd64.iso/
";
    let expected = "\
ubuntu resolute current amd64 live 6235383808 1795160045
ubuntu resolute current arm64 live 0 -1
ubuntu resolute pending amd64 live 9223372036854775807 1709164800
";
    assert_eq!(lines(text), expected);
    assert_eq!(lines(""), "");
    assert_eq!(
        lines("\n\nskipping non-regular file \"daily-live/current/x-y-z.iso\"\n"),
        ""
    );
    // The last one without its end, and such of another system.
    assert_eq!(
        lines(
            "1 1970/01/01-00:00:01 daily-live/current/a-b-c.iso\r\n1 1970/01/01-00:00:02 daily-live/current/a-b-d.iso"
        ),
        "ubuntu a current c live 1 1\nubuntu a current d live 1 2\n"
    );
}

#[test]
fn escapes_stand_for_bytes_and_spaces_for_themselves() {
    let line = |path: &str| format!("5 1970/01/01-00:00:07 {path}\n");
    for (path, expected) in [
        (
            "k\\#303\\#274/daily-live/current/noble-x-amd64.iso",
            "kü noble current amd64 live 5 7\n",
        ),
        (
            "k  u /daily-live/current/noble-x y  z-amd64.iso",
            "k  u  noble current amd64 live 5 7\n",
        ),
        // A line break in a name, where it is of no interest.
        (
            "k/daily-live/current/noble-x\\#012y-amd64.iso",
            "k noble current amd64 live 5 7\n",
        ),
        // A backslash in front of what looks like an escape.
        (
            "k\\#134#012/daily-live/current/noble-x-amd64.iso",
            "k\\#012 noble current amd64 live 5 7\n",
        ),
        (
            "k\\x\\#9/daily-live/current/noble-x-amd64.iso",
            "k\\x\\#9 noble current amd64 live 5 7\n",
        ),
        (
            "k\\#777/daily-live/current/noble-x-amd64.iso",
            "k\\#777 noble current amd64 live 5 7\n",
        ),
        (
            "k\\#14/daily-live/current/noble-x-amd64.iso",
            "k\\#14 noble current amd64 live 5 7\n",
        ),
        (
            "k\\#377/daily-live/current/noble-x-amd64.iso",
            "\"k\\\\#377/daily-live/current/noble-x-amd64.iso\": the path is not UTF-8\n",
        ),
        (
            "k\\#012/daily-live/current/noble-x-amd64.iso",
            "\"k\\\\#012/daily-live/current/noble-x-amd64.iso\": a part of it that is to be a tag has more than 200 bytes \
             or a control character\n",
        ),
    ] {
        assert_eq!(lines(&line(path)), expected, "{path}");
    }
}

#[test]
fn lines_that_are_not_of_the_form_are_remarked_and_the_others_count() {
    let path = "daily-live/current/noble-x-amd64.iso";
    for wrong in [
        path.to_owned(),
        format!("5 {path}"),
        format!("2026/11/20-07:34:05 {path}"),
        format!("-5 2026/11/20-07:34:05 {path}"),
        format!("+5 2026/11/20-07:34:05 {path}"),
        format!("5,000 2026/11/20-07:34:05 {path}"),
        format!("4.5K 2026/11/20-07:34:05 {path}"),
        format!(" 5 2026/11/20-07:34:05 {path}"),
        format!("9223372036854775808 2026/11/20-07:34:05 {path}"),
        format!("5 2026/02/30-07:34:05 {path}"),
        format!("5 2026/11/20 07:34:05 {path}"),
        format!("5 2026-11-20T07:34:05 {path}"),
        format!("5 1795160045 {path}"),
    ] {
        let good = format!("5 2024/02/29-00:00:00 {path}");
        let expected = format!(
            "ubuntu noble current amd64 live 5 1709164800\n{} is not a size, a time and a path\n",
            tidemark_ubuntu::shown(&wrong)
        );
        assert_eq!(lines(&format!("{wrong}\n{good}\n")), expected, "{wrong}");
    }
}

#[test]
fn remarks_are_few_and_short() {
    let long = format!("x{} current/ü.iso", "ü".repeat(1000));
    let listing = parse(&format!("{long}\n").repeat(1000), &known());
    assert_eq!(listing.remarks.count(), 1000);
    let lines: Vec<String> = listing.remarks.into_lines().collect();
    assert!(
        lines.len() < 10 && lines.iter().all(|line| line.len() < 200),
        "{lines:?}"
    );
}

/// A listing as long as the longest real one, and ten times that.
#[test]
fn a_long_listing_gives_the_images_that_are_in_it() {
    for percent in [100, 1000] {
        let made = ubuntu::rsync_listing(Size::percent(percent), ubuntu::NOW);
        let listing = parse(&made.text, &known());
        assert_eq!((listing.remarks.count(), listing.unplaced), (0, 0));
        let read: Vec<ubuntu::Image> = listing
            .images
            .into_iter()
            .map(|image| ubuntu::Image {
                flavor: image.identity.flavor,
                release: image.identity.release,
                current_or_pending: image.identity.current_or_pending,
                architecture: image.identity.architecture,
                image_type: image.identity.image_type,
                age: (ubuntu::NOW / 1000 - image.modified) / 86_400,
                size: image.size,
            })
            .collect();
        assert!(read.len() > 100, "{}", read.len());
        assert_eq!(read, made.answer);
    }
}

#[test]
fn images_that_wait_for_the_series_are_counted() {
    let text = "5 1970/01/01-00:00:07 noble/daily-live/current/noble-x-amd64.iso\n\
                5 1970/01/01-00:00:07 daily-live/current/noble-x-amd64.iso\n\
                5 1970/01/01-00:00:07 noble/daily-live/pending/noble-x-amd64.iso\n";
    let listing = parse(text, &Series::default());
    assert_eq!(
        (listing.images.len(), listing.unplaced, listing.remarks.count()),
        (1, 2, 0)
    );
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in "(\\PC|\n| |/|-|\\.iso|current|\\\\#[0-9]{3}|[0-9]{1,25}){0,40}") {
        for series in [known(), Series::default()] {
            let listing = parse(&text, &series);
            let taken = listing.images.len() + listing.remarks.count() + listing.unplaced;
            prop_assert!(taken <= text.lines().count());
        }
    }

    #[test]
    fn any_line_with_a_size_and_a_time_and_any_path_is_read(path in "[kd/ü\\\\#0-7\n.-]{0,30}", name in "[a-c.+ -]{0,9}") {
        let text = format!("5 2026/11/20-07:34:05 {path}/current/{name}.iso\n");
        let _ = parse(&text, &known());
        let _ = identify(&path, &known());
    }

    #[test]
    fn every_byte_that_rsync_escapes_comes_back(flavor in "[ -.0-~ü厨\u{1b}]{1,12}") {
        // As rsync prints a name in the locale C.
        let mut written = String::new();
        for (place, &byte) in flavor.as_bytes().iter().enumerate() {
            let rest = &flavor.as_bytes()[place..];
            let looks_like_an_escape = rest.len() > 4
                && rest.starts_with(b"\\#")
                && rest[2..5].iter().all(u8::is_ascii_digit);
            if (b' '..=b'~').contains(&byte) && !looks_like_an_escape {
                written.push(char::from(byte));
            } else {
                written += &format!("\\#{byte:03o}");
            }
        }
        let text = format!("5 1970/01/01-00:00:07 {written}/daily-live/current/noble-x-amd64.iso\n");
        let listing = parse(&text, &known());
        match identify(&format!("{flavor}/daily-live/current/noble-x-amd64.iso"), &known()) {
            Ok(identity) => {
                let read: Vec<Identity> = listing.images.into_iter().map(|image| image.identity).collect();
                prop_assert_eq!(read, Vec::from_iter(identity));
            }
            Err(_) => prop_assert_eq!(listing.remarks.count(), 1),
        }
    }
}
