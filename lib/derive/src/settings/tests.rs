use proc_macro2::TokenStream;
use quote::quote;

use super::expand;
use crate::syntax::tests;

fn expanded(input: TokenStream) -> String {
    tests::expanded(expand(input))
}

fn refused(input: TokenStream) -> Vec<String> {
    tests::refused(expand(input))
}

#[test]
fn a_struct_becomes_a_section() {
    let code = expanded(quote! {
        /// The queue of uploads
        /// that need a sponsor.
        ///
        /// More about it.
        pub struct Sponsoring {
            /// The report's address.
            #[default("http://h/\"x\"")]
            url: Url,
            /// How many.
            #[default(-5)]
            count: i64,
            /// How much.
            #[default(0.5)]
            share: f64,
            /// Whether.
            #[default(true)]
            all: bool,
            /// Which.
            #[default(["a", "b"])]
            teams: Vec<String>,
            /** How
             * long.
             */
            wait: Option<Span>,
            /// What.
            r#type: String,
            /// Whether it is right.
            #[key("verify-ssl")]
            verify_ssl: Option<bool>,
        }
    });
    for part in [
        "SUMMARY:&'staticstr=\"Thequeueofuploadsthatneedasponsor.\"",
        "name:\"url\",type_name:<Urlas::tidemark_collect::__private::settings::SettingValue>::TYPE,\
         default:::core::option::Option::Some(\"http://h/\\\"x\\\"\"),help:\"Thereport'saddress.\",\
         keys:<Urlas::tidemark_collect::__private::settings::SettingValue>::KEYS_BELOW",
        "section.or_default::<Url>(\"url\",::tidemark_collect::__private::settings::DefaultValue::String(\"http://h/\\\"x\\\"\"))",
        "::core::assert!(<Urlas::tidemark_collect::__private::settings::SettingValue>::LITERAL.takes(",
        "Option::Some(\"-5\")",
        "DefaultValue::Integer(-5i64)",
        "Option::Some(\"0.5\")",
        "DefaultValue::Float(0.5f64)",
        "DefaultValue::Boolean(true)",
        "Option::Some(\"[\\\"a\\\",\\\"b\\\"]\")",
        "section.optional::<Span>(\"wait\")",
        "default:::core::option::Option::None,help:\"Howlong.\"",
        "section.required::<String>(\"type\")",
        "section.optional::<bool>(\"verify-ssl\")",
        "Some(Self{url:key_0?,count:key_1?,share:key_2?,all:key_3?,teams:key_4?,wait:key_5?,r#type:key_6?,verify_ssl:key_7?})",
    ] {
        assert!(code.contains(part), "{part} is not in {code}");
    }
}

#[test]
fn a_section_may_have_no_keys() {
    for input in [
        quote!(
            /** Nothing. */
            struct Host;
        ),
        quote!(
            /** Nothing. */
            struct Host {}
        ),
    ] {
        let code = expanded(input);
        assert!(
            code.contains("=&[];") && code.contains("Option::Some(Self{})"),
            "{code}"
        );
    }
}

#[test]
fn every_fault_is_said_at_once() {
    let faults = refused(quote! {
        /// A summary.
        struct Faults {
            bare: String,
            /// Help.
            #[key("a b")]
            spaced: bool,
            /// Help.
            #[key("a")]
            #[key("b")]
            named: bool,
            /// Help.
            #[default(5)]
            both: Option<i64>,
            /// Help.
            #[default(5)]
            #[default(6)]
            twice: i64,
            /// Help.
            #[default(b"bytes")]
            bytes: String,
            /// Help.
            #[default(99999999999999999999)]
            large: i64,
            /// Help.
            #[default(1 + 1)]
            sum: i64,
        }
    });
    assert_eq!(
        faults,
        [
            "a doc comment is missing: it is the key's help",
            "a key is letters, digits, _ and -, as it stands in the file without quotes",
            "a key has one name",
            "an optional key has no default: leave out the `Option` or the default",
            "a key has one default",
            "a default is a string, a number, true, false or a list of these",
            "number too large to fit in target type",
            "unexpected token",
        ]
    );
}

#[test]
fn only_a_plain_struct_with_names_and_a_summary_is_a_section() {
    for (input, fault) in [
        (
            quote!(
                struct A;
            ),
            "a doc comment is missing: it is the section's summary",
        ),
        (
            quote!(
                /** */
                struct A;
            ),
            "a doc comment is missing: it is the section's summary",
        ),
        (
            quote!(
                /** A. */
                enum A {}
            ),
            "only a struct can be a section of the settings",
        ),
        (
            quote!(
                /** A. */
                struct A<T> {
                    a: T,
                }
            ),
            "a section of the settings cannot be generic",
        ),
        (
            quote!(
                /** A. */
                struct A(String);
            ),
            "a section's keys need names: write a struct with named fields",
        ),
    ] {
        assert_eq!(refused(input), [fault]);
    }
}
