use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tidemark_testkit::asked;

use crate::cases;

#[test]
fn texts_are_as_they_were_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/units/golden");
    let mut made: BTreeMap<String, String> = BTreeMap::new();
    for (case, units) in cases::all() {
        for unit in units {
            let suffix = unit.file_name.rsplit('.').next().unwrap();
            made.insert(format!("{case}.{suffix}"), unit.text);
        }
    }
    if asked("TIDEMARK_REFRESH").is_some() {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in &made {
            fs::write(folder.join(name), text).unwrap();
        }
    }
    let expected: BTreeMap<String, String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect();
    assert_eq!(
        made.keys().collect::<Vec<_>>(),
        expected.keys().collect::<Vec<_>>(),
        "TIDEMARK_REFRESH=1 writes golden/ anew"
    );
    for (name, text) in &made {
        assert_eq!(text, &expected[name], "{name}: TIDEMARK_REFRESH=1 writes it anew");
    }
}
