//! The real program: the report failing in each way.

use tidemark_testkit::{Matrix, Part, Route};

#[test]
fn the_report_failing_in_each_way() {
    let good = include_str!("../fixtures/general.json");
    let wrong = r#"[{"date_queued": 20260102, "sets": "desktop"}]"#;
    Matrix::new("tidemark-sponsoring", |bases| {
        let url = bases.url("") + "/general.json";
        format!("[collector.sponsoring]\nurl = \"{url}\"\n")
    })
    .part(
        Part::new("the report", |_| true)
            .or_named("entry 1 is left out")
            .route(Route::new("/general.json", good, wrong)),
    )
    .check();
}
