//! Names as Ubuntu has them: packages, versions, people, words.

use crate::Random;

const FRONTS: [&str; 24] = [
    "lib",
    "python3-",
    "golang-github-",
    "rust-",
    "node-",
    "gnome-",
    "kde-",
    "r-cran-",
    "haskell-",
    "php-",
    "ruby-",
    "ocaml-",
    "",
    "",
    "",
    "",
    "xserver-xorg-",
    "linux-",
    "ubuntu-",
    "lib",
    "lib",
    "lua-",
    "erlang-",
    "fonts-",
];
const STEMS: [&str; 48] = [
    "systemd",
    "glib2.0",
    "gtk+4.0",
    "curl",
    "openssl",
    "sqlite3",
    "zlib",
    "dbus",
    "cairo",
    "pango",
    "mesa",
    "boost1.88",
    "perl",
    "ffmpeg",
    "poppler",
    "qtbase",
    "webkit2gtk",
    "apt",
    "dpkg",
    "netplan.io",
    "cloud-init",
    "snapd",
    "lxd",
    "qemu",
    "samba",
    "nginx",
    "apache2",
    "postgresql",
    "numpy",
    "scipy",
    "django",
    "flask",
    "requests",
    "tokio",
    "serde",
    "clap",
    "image-quant",
    "xml2",
    "yaml",
    "json-c",
    "event",
    "uv1",
    "pcre2",
    "icu",
    "harfbuzz",
    "sphinx",
    "pytest",
    "hyphen",
];
const ENDS: [&str; 12] = [
    "", "", "", "", "-dev", "-perl", "-java", "-doc", "-common", "-utils", "2", "-extra",
];
const PEOPLE: [&str; 10] = [
    "Ubuntu Developers",
    "Debian QA Group",
    "Jérôme Müller",
    "Zoë O'Brien",
    "Łukasz Żółty",
    "山田 太郎",
    "Debian Python Team",
    "Ubuntu Kernel Team",
    "Søren \"Sol\" Ågård",
    "GNOME Maintainers",
];
const WORDS: [&str; 32] = [
    "build",
    "failed",
    "after",
    "update",
    "the",
    "of",
    "missing",
    "symbol",
    "regression",
    "with",
    "kernel",
    "cannot",
    "start",
    "session",
    "crash",
    "in",
    "when",
    "upgrading",
    "from",
    "noble",
    "über",
    "naïve",
    "→",
    "screen",
    "touchpad",
    "sound",
    "driver",
    "segfaults",
    "hangs",
    "boot",
    "on",
    "arm64",
];

/// One of them.
pub(super) fn pick<'a, T>(random: &mut Random, of: &'a [T]) -> &'a T {
    &of[below(random, of.len())]
}

/// A number below that.
pub(super) fn below(random: &mut Random, bound: usize) -> usize {
    usize::try_from(random.below(bound as u64)).expect("below a usize")
}

/// Whether it is one of so many.
pub(super) fn one_in(random: &mut Random, many: u64) -> bool {
    random.below(many) == 0
}

/// A source package.
pub(super) fn package(random: &mut Random) -> String {
    let stem = pick(random, &STEMS);
    let (front, end) = (pick(random, &FRONTS), pick(random, &ENDS));
    match random.below(4) {
        0 => format!("{front}{stem}{end}"),
        1 => format!("{front}{stem}-{}", pick(random, &STEMS)),
        2 => format!("{stem}{}", random.below(40)),
        _ => (*stem).to_owned(),
    }
}

/// A version of one, epochs and tildes as they come.
pub(super) fn version(random: &mut Random) -> String {
    let upstream = format!("{}.{}.{}", random.below(30), random.below(20), random.below(12));
    let debian = random.below(9) + 1;
    match random.below(6) {
        0 => format!("1:{upstream}-{debian}"),
        1 => format!("{upstream}+dfsg-{debian}build{}", random.below(4) + 1),
        2 => format!(
            "{upstream}~git20260917.{:07x}-0ubuntu{debian}",
            random.below(1 << 28)
        ),
        3 => format!("{upstream}-{debian}ubuntu{}", random.below(6) + 1),
        4 => format!("{upstream}+ds1-{debian}~exp1"),
        _ => format!("{upstream}-{debian}"),
    }
}

/// Someone, beyond ASCII too.
pub(super) fn person(random: &mut Random) -> &'static str {
    PEOPLE[below(random, PEOPLE.len())]
}

/// So many words.
pub(super) fn words(random: &mut Random, count: usize) -> String {
    let words: Vec<&str> = (0..count).map(|_| *pick(random, &WORDS)).collect();
    words.join(" ")
}

/// A text as JSON has it, everything beyond ASCII escaped, as Python writes it.
pub(super) fn json(text: &str) -> String {
    let mut out = String::from("\"");
    for unit in text.encode_utf16() {
        match char::from_u32(u32::from(unit)) {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\n') => out.push_str("\\n"),
            Some(plain @ ' '..='~') => out.push(plain),
            _ => out.push_str(&format!("\\u{unit:04x}")),
        }
    }
    out.push('"');
    out
}
