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
fn a_struct_becomes_its_schema() {
    let code = expanded(quote! {
        /// Uploads that wait
        /// for a sponsor.
        ///
        /// More about them.
        #[measurement("queue")]
        struct Queue {
            /// The report.
            #[tag]
            report: String,
            /// Uploads.
            count: i64,
            /// Age of the oldest.
            #[unit("d")]
            #[counter]
            #[name("oldest age")]
            oldest: Option<i64>,
        }
    });
    for part in [
        "measurement:\"queue\",help:\"Uploadsthatwaitforasponsor.\"",
        "tags:&[__point::TagSchema{name:\"report\",help:\"Thereport.\"}]",
        "name:\"count\",kind:__point::Kind::Gauge,field_type:<i64as__point::IntoField>::FIELD_TYPE,\
         unit:::core::option::Option::None,help:\"Uploads.\"",
        "name:\"oldestage\",kind:__point::Kind::Counter,\
         field_type:<Option<i64>as__point::IntoField>::FIELD_TYPE,unit:::core::option::Option::Some(\"d\")",
        "builder.tag(\"report\",__point::IntoTag::into_tag(self.report))",
        "__point::IntoField::into_field(self.oldest)",
        "<Queueas__point::Measurement>::SCHEMA.check()",
    ] {
        assert!(code.contains(part), "{part} is not in {code}");
    }
}

#[test]
fn tags_take_texts_and_all_that_displays() {
    let code = expanded(quote! {
        /// D.
        #[measurement("m")]
        struct M {
            /// A.
            #[tag]
            a: &'static str,
            /// B.
            #[tag]
            b: Option<std::borrow::Cow<'static, str>>,
            /// C.
            #[tag]
            c: u16,
            /// D.
            #[tag]
            r#type: Option<std::net::IpAddr>,
            /// E.
            #[name("value")]
            e: f64,
        }
    });
    for part in [
        "builder.tag(\"a\",__point::IntoTag::into_tag(self.a))",
        "builder.tag(\"b\",__point::IntoTag::into_tag(value))",
        "builder.tag(\"c\",::std::string::ToString::to_string(&self.c))",
        "builder.tag(\"type\",::std::string::ToString::to_string(&value))",
        "matchself.r#type{",
    ] {
        assert!(code.contains(part), "{part} is not in {code}");
    }
}

#[test]
fn the_time_of_the_struct_goes_before_that_of_the_run() {
    let code = expanded(quote! {
        /// D.
        #[measurement("m")]
        struct M {
            #[time]
            at: Timestamp,
            /// V.
            v: f64,
        }
    });
    assert!(
        code.contains("match__point::IntoTime::into_time(self.at)"),
        "{code}"
    );
    assert!(!code.contains("name:\"at\""), "{code}");
}

#[test]
fn help_is_required_everywhere_and_all_gaps_are_reported() {
    let messages = refused(quote! {
        #[measurement("m")]
        struct M {
            #[tag]
            a: String,
            b: f64,
        }
    });
    assert_eq!(
        messages,
        [
            "the struct `M` needs a doc comment: it is the help that users read",
            "the field `a` needs a doc comment: it is the help that users read",
            "the field `b` needs a doc comment: it is the help that users read",
        ]
    );
}

/// The messages for a measurement with these fields.
fn refused_fields(fields: &TokenStream) -> Vec<String> {
    refused(quote! {
        /// D.
        #[measurement("m")]
        struct M { #fields }
    })
}

#[test]
fn names_that_cannot_be_stored_are_refused() {
    let cases = [
        (quote!(_field: f64), "names that begin with _ are InfluxDB's own"),
        (
            quote!(#[name("_measurement")] a: f64),
            "names that begin with _ are InfluxDB's own",
        ),
        (
            quote!(time: f64),
            "a tag or field called time hides the point's time",
        ),
        (
            quote!(#[tag] time: String),
            "a tag or field called time hides the point's time",
        ),
        (
            quote!(#[name("a\nb")] a: f64),
            "a name has neither control characters nor backslashes",
        ),
        (
            quote!(#[name("a\\")] a: f64),
            "a name has neither control characters nor backslashes",
        ),
        (quote!(#[name("")] a: f64), "it is empty: write #[name(\"…\")]"),
    ];
    for (field, message) in cases {
        let messages = refused_fields(&quote!(#[doc = "H."] #field));
        assert!(messages[0].starts_with(message), "{field}: {messages:?}");
        assert_eq!(messages.len(), 1, "{field}: {messages:?}");
    }
}

#[test]
fn measurements_need_one_name_that_can_be_stored() {
    let cases = [
        (
            quote!(),
            "the measurement has no name: write #[measurement(\"name\")] above the struct",
        ),
        (
            quote!(#[measurement]),
            "the measurement's name is a string: write #[measurement(\"name\")]",
        ),
        (
            quote!(#[measurement(m)]),
            "the measurement's name is a string: write #[measurement(\"name\")]",
        ),
        (
            quote!(#[measurement("a")] #[measurement("b")]),
            "the measurement's name is given twice",
        ),
        (
            quote!(#[measurement("#a")]),
            "a name that begins with # would be a comment in line protocol",
        ),
        (quote!(#[measurement("")]), "a name is empty"),
    ];
    for (attribute, message) in cases {
        let messages = refused(quote!(#[doc = "D."] #attribute struct M { #[doc = "V."] v: f64 }));
        assert_eq!(messages, [message], "{attribute}");
    }
}

#[test]
fn names_are_unique_among_tags_and_fields() {
    let messages = refused_fields(&quote! {
        #[doc = "A."]
        #[tag]
        a: String,
        #[doc = "B."]
        #[name("a")]
        b: f64,
    });
    assert_eq!(messages, ["the name \"a\" is taken"]);
}

#[test]
fn a_point_has_one_time_and_a_field() {
    let messages = refused_fields(&quote!(#[time] a: Timestamp, #[time] b: Timestamp, #[doc = "V."] v: f64));
    assert_eq!(
        messages,
        ["a point has one time: another field is #[time] already"]
    );
    let messages = refused_fields(&quote!(#[time] a: Timestamp));
    assert_eq!(
        messages,
        ["a measurement needs a field that is neither #[tag] nor #[time]"]
    );
}

#[test]
fn attributes_go_where_they_mean_something() {
    let cases = [
        (
            quote!(#[tag] #[unit("s")] a: String),
            "a tag has neither #[unit] nor #[counter]: it is a text",
        ),
        (
            quote!(#[tag] #[counter] a: String),
            "a tag has neither #[unit] nor #[counter]: it is a text",
        ),
        (
            quote!(#[tag] #[time] a: String),
            "a field is either a #[tag] or the #[time]",
        ),
        (
            quote!(#[time] #[name("a")] a: Timestamp),
            "the time has neither #[unit] nor #[counter] nor #[name]",
        ),
        (quote!(#[counter] a: Option<String>), "a counter is a number"),
        (quote!(#[counter] a: bool), "a counter is a number"),
        (quote!(#[counter] #[counter] a: u64), "#[counter] is given twice"),
        (quote!(#[unit] a: u64), "write #[unit(\"…\")]"),
        (
            quote!(#[unit("")] a: u64),
            "it is empty: write #[unit(\"…\")], or leave it out",
        ),
    ];
    for (field, message) in cases {
        let messages = refused_fields(&quote!(#[doc = "A."] #field));
        assert_eq!(messages[0], message, "{field}");
    }
}

#[test]
fn only_structs_with_named_fields_are_measurements() {
    for input in [
        quote!(
            enum M {
                A,
            }
        ),
        quote!(
            struct M(f64);
        ),
        quote!(
            struct M;
        ),
    ] {
        let messages = refused(input);
        assert_eq!(messages, ["a measurement is a struct with named fields"]);
    }
    let messages = refused(quote! {
        /// D.
        #[measurement("m")]
        struct M<'a> {
            /// T.
            #[tag]
            t: &'a str,
            /// V.
            v: f64,
        }
    });
    assert_eq!(
        messages,
        ["a measurement has no generic parameters: let it own its texts, or take &'static str"]
    );
}
