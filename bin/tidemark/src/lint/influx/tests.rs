use super::*;
use crate::arguments::PageFormat;
use crate::lint::findings::Channel;
use std::io::Cursor;

/// What is said of a text that is read with these bounds.
fn said(text: &str, bounds: Bounds) -> String {
    let arguments = LintArguments {
        file: None,
        from: Some(PageFormat::Influx),
        to: None,
        lenient: false,
        precision: Precision::Nanoseconds,
    };
    let mut findings = Findings::new("-", Channel::Nowhere);
    let mut converter = Converter::new(None);
    let mut input = Input::new("-", Box::new(Cursor::new(text.to_owned().into_bytes()))).expect("a text");
    let mut lint = Lint::new(&arguments, &mut findings, &mut converter, Timestamp::EPOCH);
    lint.bounds = bounds;
    let points = lint.run(&mut input).expect("a verdict");
    format!("{points} points\n{}", findings.said())
}

/// A linear congruential generator: numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap_or(0) % bound
    }
}

#[test]
fn where_a_text_is_cut_changes_nothing() {
    const PARTS: [&str; 14] = [
        "m v=1 1\n",
        "  n,a=b w=\"x\ny\" 2\n",
        "o s=\"one\n\ntwo\\\" three\n\" 3\r\n",
        "# a comment \"\n",
        "\n",
        "   \n",
        "bad\n",
        "m v= 4\n",
        "m,a=\"b v=5 5\n",
        "p s=\"a long one that goes on and on and on and on and on and on\nand on\" 6\n",
        "q s=\"x\"y 7\n",
        "gr\u{f6}\u{df}e v=8 8\n",
        "r s=\"open 9\n",
        "m v=1i 10\n",
    ];
    let whole = Bounds {
        point: 1 << 20,
        piece: 1 << 20,
    };
    let mut numbers = Numbers(7);
    let mut unlike = 0;
    for _ in 0..300 {
        let mut text: String = (0..numbers.below(12) + 1)
            .map(|_| PARTS[numbers.below(PARTS.len())])
            .collect();
        if numbers.below(3) == 0 {
            text.pop();
        }
        let expected = said(&text, whole);
        for piece in [1, 7, 16, 50] {
            let bounds = Bounds {
                point: 1 << 20,
                piece,
            };
            assert_eq!(said(&text, bounds), expected, "{text:?} by {piece}");
        }
        unlike += usize::from(expected.lines().count() > 1);
    }
    assert!(unlike > 100, "most texts have mistakes");
}

#[test]
fn what_is_beyond_the_bounds_costs_its_own_line_alone() {
    let bounds = Bounds { point: 64, piece: 16 };
    let long = "x".repeat(200);
    let text = format!(
        "m v=1 1\n{long}\nm v=2 2\nn s=\"{}\nm v=3 3\nbad\n",
        "# y\n".repeat(100)
    );
    assert_eq!(
        said(&text, bounds).lines().take(3).collect::<Vec<_>>(),
        [
            "3 points",
            "-:2:1: the line is longer than 64 bytes: write several points",
            "-:4:5: the string that begins here has no closing quote; end it with a double quote, and write \\\" for one \
             within it",
        ]
    );
    assert!(
        said(&text, bounds).contains("-:106:4: the fields are missing"),
        "{}",
        said(&text, bounds)
    );
}
