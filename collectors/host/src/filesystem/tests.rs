use super::*;
use crate::Host;
use std::collections::BTreeMap;
use std::sync::Mutex;
use tidemark_collect::{Context, Point, Value, defaults};

const SIZED: Usage = Usage {
    size_bytes: 1000,
    free_bytes: 300,
    available_bytes: 200,
    files: 10,
    files_free: 4,
    mount: None,
};

/// What a host with this `mountinfo` reports, and its gaps.
fn report(
    mountinfo: &str,
    ask: impl Fn(&Path) -> io::Result<Usage> + Send + Sync + 'static,
) -> (Vec<Point>, Vec<String>) {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(root.path().join("proc/self")).unwrap();
    std::fs::write(root.path().join("proc/self/mountinfo"), mountinfo).unwrap();
    let cx = Context::builder().host_root(root.path()).host_name("h").build();
    let settings: Host = defaults().unwrap();
    let root = root.path().to_owned();
    let below_root = move |path: &Path| ask(&Path::new("/").join(path.strip_prefix(&root).unwrap()));
    let mut topic = Topic::new(&cx, &settings, Arc::new(below_root));
    collect(&mut topic).unwrap();
    (topic.into_points().into_parts().0, cx.take_gaps())
}

fn mountpoints(points: &[Point]) -> Vec<&str> {
    points
        .iter()
        .map(|point| point.tag("mountpoint").unwrap())
        .collect()
}

#[test]
fn a_filesystem_is_reported_once_where_it_shows_its_root() {
    let (points, gaps) = report(
        "30 1 8:1 /var/lib/x /srv/x rw - ext4 /dev/sda1 rw\n\
         31 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
         32 1 8:1 / /mnt/again rw - ext4 /dev/sda1 rw\n\
         33 1 8:2 /sub /data/long rw - btrfs /dev/sda2 ro\n\
         34 1 8:2 /sub2 /data rw - btrfs /dev/sda2 ro\n",
        |_| Ok(SIZED),
    );
    assert_eq!(gaps, [""; 0]);
    assert_eq!(mountpoints(&points), ["/", "/data"]);
    assert_eq!(points[0].tag("device"), Some("/dev/sda1"));
    assert_eq!(points[0].tag("fstype"), Some("ext4"));
    assert_eq!(points[0].field("size_bytes"), Some(&Value::Uint(1000)));
    assert_eq!(points[0].field("read_only"), Some(&Value::Bool(false)));
    assert_eq!(points[1].field("read_only"), Some(&Value::Bool(true)));
}

#[test]
fn pseudo_and_network_filesystems_and_those_without_blocks_are_left_out() {
    let (points, gaps) = report(
        "1 0 0:1 / /proc rw - proc proc rw\n2 0 0:2 / /sys rw - sysfs sysfs rw\n\
         3 0 0:3 / /mnt/a rw - nfs4 server:/a rw\n4 0 0:4 / /mnt/b rw - fuse.sshfs b: rw\n\
         5 0 0:5 / /run/user/1000 rw - tmpfs tmpfs rw\n6 0 0:6 / /run rw - tmpfs tmpfs rw\n\
         7 0 0:7 / /empty rw - newfs none rw\n8 0 7:0 / /snap/x/1 ro - squashfs /dev/loop0 ro\n",
        |path| {
            Ok(if path == Path::new("/empty") {
                Usage {
                    size_bytes: 0,
                    ..SIZED
                }
            } else {
                SIZED
            })
        },
    );
    assert_eq!((mountpoints(&points), gaps.len()), (vec!["/run"], 0));
}

#[test]
fn a_mount_that_another_hides_is_not_reported() {
    // /data is mounted twice, one over the other; /data/deep lies hidden below, /data/gone too.
    let text = "10 1 8:1 / /data rw - ext4 /dev/sda1 rw\n11 10 8:2 / /data/deep rw - ext4 /dev/sda2 rw\n\
                13 10 8:4 / /data/gone rw - ext4 /dev/sda4 rw\n12 10 8:3 / /data rw - ext4 /dev/sda3 rw\n";
    let (points, gaps) = report(text, |path| match path.to_str() {
        Some("/data" | "/data/deep") => Ok(Usage {
            mount: Some(12),
            ..SIZED
        }),
        Some("/data/gone") => Err(io::Error::from_raw_os_error(2)),
        other => panic!("{other:?}"),
    });
    assert_eq!(gaps, [""; 0]);
    assert_eq!(points.len(), 1);
    assert_eq!(points[0].tag("device"), Some("/dev/sda3"));
}

#[test]
fn a_filesystem_without_a_fixed_number_of_files_says_nothing_of_it() {
    let (points, _) = report("1 0 0:9 / / rw - btrfs /dev/sda rw\n", |_| {
        Ok(Usage {
            files: 0,
            files_free: 0,
            ..SIZED
        })
    });
    assert_eq!(
        (points[0].field("files"), points[0].field("files_free")),
        (None, None)
    );
}

#[test]
fn one_that_cannot_be_asked_is_a_gap_and_the_others_are_reported() {
    let text = "1 0 8:1 / /a rw - ext4 /dev/sda1 rw\n2 0 8:2 / /b rw - ext4 /dev/sda2 rw\nbroken\n";
    let (points, gaps) = report(text, |path| match path.to_str() {
        Some("/a") => Err(io::Error::from_raw_os_error(13)),
        _ => Ok(SIZED),
    });
    assert_eq!(mountpoints(&points), ["/b"]);
    assert!(
        gaps[0].contains("mountinfo") && gaps[0].contains("line 3"),
        "{gaps:?}"
    );
    assert_eq!(
        gaps[1],
        "cannot ask the filesystem at /a (ext4): mend it or name it in mountpoints_except: \
         Permission denied (os error 13)"
    );
}

#[test]
fn names_with_spaces_are_asked_for_as_they_are() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let (points, _) = report(
        "1 0 8:1 / /a\\040b/\u{e9} rw - ext4 /dev/x\\040y rw\n",
        move |path| {
            seen.lock().unwrap().push(path.to_owned());
            Ok(SIZED)
        },
    );
    assert_eq!(*asked.lock().unwrap(), [PathBuf::from("/a b/é")]);
    assert_eq!(
        (mountpoints(&points), points[0].tag("device")),
        (vec!["/a b/é"], Some("/dev/x y"))
    );
}

#[test]
fn one_that_never_answers_is_left_behind() {
    let (let_go, held) = mpsc::channel::<()>();
    let held = Mutex::new(held);
    let ask: Ask = Arc::new(move |path: &Path| {
        if path == Path::new("/dead") {
            // Blocks until the test lets go: as long as it runs.
            let _ = held.lock().unwrap().recv();
        }
        Ok(SIZED)
    });
    let long = Duration::from_secs(60);
    let mut asker = Asker::new(ask, long, long);
    assert_eq!(asker.ask("/one".into()).unwrap(), SIZED);
    asker.patience = Duration::from_millis(10);
    let error = asker.ask("/dead".into()).unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (io::ErrorKind::TimedOut, "it does not answer")
    );
    asker.patience = long;
    assert_eq!(asker.ask("/two".into()).unwrap(), SIZED);
    drop(let_go);
}

#[test]
fn all_together_have_a_bound_too() {
    let mut asker = Asker::new(
        Arc::new(|_: &Path| panic!("asked")),
        Duration::from_secs(1),
        Duration::ZERO,
    );
    assert_eq!(
        asker.ask("/one".into()).unwrap_err().kind(),
        io::ErrorKind::TimedOut
    );
}

#[test]
fn a_thread_that_ends_is_an_error_and_the_next_is_asked() {
    let ask: Ask = Arc::new(|path: &Path| match path.to_str() {
        Some("/bad") => panic!("on purpose"),
        _ => Ok(SIZED),
    });
    let mut asker = Asker::new(ask, Duration::from_secs(60), Duration::from_secs(60));
    assert!(asker.ask("/bad".into()).is_err());
    assert_eq!(asker.ask("/good".into()).unwrap(), SIZED);
}

#[test]
fn sizes_beyond_64_bits_are_an_error() {
    let mut stat = rustix::fs::statvfs("/").unwrap();
    stat.f_frsize = 4096;
    (stat.f_blocks, stat.f_bfree, stat.f_bavail) = (u64::MAX / 4096, 1, 0);
    let usage = in_bytes(&stat, None).unwrap();
    assert_eq!(
        (usage.size_bytes, usage.free_bytes, usage.available_bytes),
        (u64::MAX - 4095, 4096, 0)
    );
    stat.f_blocks = u64::MAX;
    assert_eq!(
        in_bytes(&stat, None).unwrap_err().kind(),
        io::ErrorKind::InvalidData
    );
    (stat.f_blocks, stat.f_frsize, stat.f_bsize) = (7, 0, 512);
    assert_eq!(in_bytes(&stat, None).unwrap().size_bytes, 3584);
}

#[test]
fn a_path_leads_to_the_mount_that_mountinfo_numbers() {
    let (mounts, _) = mountinfo::parse(&std::fs::read(PATH).unwrap());
    // A chroot has `/proc`, but perhaps no mount at `/`.
    for path in ["/", "/proc"].map(Path::new) {
        let there: Vec<_> = mounts.iter().filter(|mount| mount.mountpoint == path).collect();
        let usage = usage_at(path).unwrap();
        // Where one hides another, it is either.
        let found = usage
            .mount
            .is_none_or(|id| there.iter().any(|mount| mount.id == id));
        assert!(there.is_empty() || found, "{usage:?} {there:?}");
    }
    assert!(usage_at(Path::new("/no/such/folder")).is_err());
    // A file, and one that may not be read, answers too.
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::set_permissions(file.path(), std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
    assert!(usage_at(file.path()).unwrap().size_bytes > 0);
}

/// By mount point: size, used, available, files and files used, as `df` has them.
fn df() -> BTreeMap<String, [u64; 5]> {
    let output = std::process::Command::new("df")
        .args(["-B1", "--output=target,size,used,avail,itotal,iused"])
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let row = |line: &str| {
        let words: Vec<_> = line.split_ascii_whitespace().collect();
        let [target, size, used, available, files, files_used] = words[..] else {
            return None;
        };
        // `-` where there is no number.
        let numbers = [size, used, available, files, files_used].map(|word| word.parse().unwrap_or(0));
        Some((target.to_owned(), numbers))
    };
    text.lines().skip(1).filter_map(row).collect()
}

/// What we have, in `df`'s terms.
fn ours() -> BTreeMap<String, [u64; 5]> {
    let cx = Context::builder().host_name("h").build();
    let settings: Host = defaults().unwrap();
    let mut topic = Topic::new(&cx, &settings, Arc::new(usage_at));
    collect(&mut topic).unwrap();
    let row = |point: &Point| {
        let field = |name| match point.field(name) {
            Some(Value::Uint(value)) => *value,
            _ => 0,
        };
        let numbers = [
            field("size_bytes"),
            field("size_bytes") - field("free_bytes"),
            field("available_bytes"),
            field("files"),
            field("files") - field("files_free"),
        ];
        (point.tag("mountpoint").unwrap().to_owned(), numbers)
    };
    topic.into_points().iter().map(row).collect()
}

/// To the byte, wherever `df` says the same before and after: others write meanwhile.
#[test]
fn the_same_as_df() {
    let mut equal = BTreeMap::new();
    for _ in 0..20 {
        let (before, ours, after) = (df(), ours(), df());
        for (target, numbers) in &ours {
            let stable = before
                .get(target)
                .filter(|numbers| after.get(target) == Some(numbers));
            if let Some(theirs) = stable {
                *equal.entry(target.clone()).or_insert(false) |= numbers == theirs;
            }
            // The size stays in any case.
            let size = before.get(target).map_or(numbers[0], |theirs| theirs[0]);
            assert_eq!(numbers[0], size, "{target}");
        }
        if !equal.is_empty() && equal.values().all(|equal| *equal) {
            return;
        }
    }
    assert!(equal.values().all(|equal| *equal), "{equal:?}");
}
