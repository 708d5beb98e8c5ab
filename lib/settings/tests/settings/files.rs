//! Files that are not what they should be.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;

use rustix::fs::{CWD, Mode, mkfifoat};

use crate::written::Written;

#[test]
fn a_directory() {
    let written = Written::nothing();
    fs::create_dir(written.path("tidemark.toml")).unwrap();
    assert_eq!(written.report(), "F: is a directory; name a regular file instead");
}

#[test]
fn a_fifo_does_not_hang() {
    let written = Written::nothing();
    mkfifoat(CWD, written.path("tidemark.toml"), Mode::RWXU).unwrap();
    assert_eq!(
        written.report(),
        "F: is not a regular file; name a regular file instead"
    );
}

#[test]
fn a_socket_and_a_device() {
    let written = Written::nothing();
    let _listener = UnixListener::bind(written.path("tidemark.toml")).unwrap();
    assert_eq!(
        written.report(),
        "F: is not a regular file; name a regular file instead"
    );
    let written = Written::nothing();
    symlink("/dev/zero", written.path("tidemark.toml")).unwrap();
    assert_eq!(
        written.report(),
        "F: is not a regular file; name a regular file instead"
    );
}

#[test]
fn a_file_over_a_mebibyte() {
    let at_most = Written::main(vec![b'#'; 1 << 20]);
    assert_eq!(at_most.report(), "");
    let over = Written::main(vec![b'#'; (1 << 20) + 1]);
    assert_eq!(
        over.report(),
        "F: is longer than 1 MiB; move some of it to files in conf.d"
    );
}

#[test]
fn a_byte_that_is_not_utf8() {
    assert_eq!(
        Written::main(b"[host]\nname = \"\xc3\xa9\xff\"\n").report(),
        "F:2:10: a byte that is not UTF-8 text; write the file in UTF-8 instead"
    );
}

#[test]
fn conf_d_is_read_beside_the_main_file() {
    let written = Written::main("").file("conf.d", "x");
    assert_eq!(
        written.report(),
        "D/conf.d: is not a folder; make it a folder, or remove it"
    );
    let written = Written::main("").file("conf.d/a.toml/b", "x");
    assert_eq!(
        written.report(),
        "D/conf.d/a.toml: is a directory; name a regular file instead"
    );
    let written = Written::main("").file("conf.d/a.toml", "");
    symlink("nowhere", written.path("conf.d/b.toml")).unwrap();
    assert_eq!(
        written.report(),
        "D/conf.d/b.toml: does not exist; create it, or name another"
    );
}

#[test]
fn conf_d_holds_at_most_a_thousand_files() {
    let written = Written::main("");
    fs::create_dir(written.path("conf.d")).unwrap();
    for index in 0..1001 {
        fs::write(written.path(&format!("conf.d/{index}.toml")), "").unwrap();
    }
    assert_eq!(
        written.report(),
        "D/conf.d: holds more than 1000 files; join some of them"
    );
    fs::remove_file(written.path("conf.d/7.toml")).unwrap();
    assert_eq!(written.report(), "");
}

#[test]
fn a_password_in_a_file_that_everybody_may_read() {
    let text = "[[sink]]\ntype = \"influxdb\"\nurl = \"https://h\"\ndatabase = \"m\"\nusername = \"u\"\npassword = \"hunter2\"\n";
    let written = Written::main(text);
    let open = written.open_to_others();
    let mode =
        |mode| fs::set_permissions(written.path("tidemark.toml"), fs::Permissions::from_mode(mode)).unwrap();
    mode(0o644);
    let notice = "F:6:12: [[sink]] holds a secret, and every user of this host may read F; run chmod o= F";
    assert_eq!(written.notices(), if open { notice } else { "" });
    mode(0o640);
    assert_eq!(written.notices(), "");
    // A folder that others may not enter hides it too.
    mode(0o644);
    fs::set_permissions(written.folder(), fs::Permissions::from_mode(0o750)).unwrap();
    assert_eq!(written.notices(), "");
}
