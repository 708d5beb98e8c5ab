//! `#[derive(Measurement)]`.

mod field;

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Attribute, Data, DeriveInput, Error, Fields, Ident, LitStr};

use crate::syntax::{Mistakes, doc_comment};
use field::{Field, Role};

/// The implementation of `Measurement` for a struct. All mistakes in it are reported at once.
pub(crate) fn expand(input: TokenStream) -> syn::Result<TokenStream> {
    let input: DeriveInput = syn::parse2(input)?;
    let mut mistakes = Mistakes::default();
    let measurement = mistakes.take(measurement_name(&input));
    let help = mistakes.take(help(&input.attrs, &input.ident, "struct"));
    if !input.generics.params.is_empty() {
        mistakes.add(Error::new_spanned(
            &input.generics,
            "a measurement has no generic parameters: let it own its texts, or take &'static str",
        ));
    }
    let mut fields = Vec::new();
    for field in named_fields(&input)? {
        fields.extend(mistakes.take(Field::read(field)));
    }
    check_together(&fields, &input.ident, &mut mistakes);
    mistakes.finish()?;
    let (Some(measurement), Some(help)) = (measurement, help) else {
        return Err(Error::new_spanned(
            &input.ident,
            "this measurement cannot be read",
        ));
    };
    Ok(implementation(&input.ident, &measurement, &help, &fields))
}

fn named_fields(input: &DeriveInput) -> syn::Result<impl Iterator<Item = &syn::Field>> {
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => Ok(fields.named.iter()),
            _ => Err(Error::new_spanned(
                &input.ident,
                "a measurement is a struct with named fields",
            )),
        },
        _ => Err(Error::new_spanned(
            &input.ident,
            "a measurement is a struct with named fields",
        )),
    }
}

fn measurement_name(input: &DeriveInput) -> syn::Result<LitStr> {
    let mut attributes = input
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("measurement"));
    let Some(attribute) = attributes.next() else {
        return Err(Error::new_spanned(
            &input.ident,
            "the measurement has no name: write #[measurement(\"name\")] above the struct",
        ));
    };
    if let Some(second) = attributes.next() {
        return Err(Error::new_spanned(
            second,
            "the measurement's name is given twice",
        ));
    }
    let name: LitStr = attribute.parse_args().map_err(|error| {
        Error::new(
            error.span(),
            "the measurement's name is a string: write #[measurement(\"name\")]",
        )
    })?;
    if name.value().starts_with('#') {
        return Err(Error::new_spanned(
            name,
            "a name that begins with # would be a comment in line protocol",
        ));
    }
    check_name(&name.value(), name.span())?;
    Ok(name)
}

/// Refuses names that a database keeps for itself or cannot store as they are.
fn check_name(name: &str, span: Span) -> syn::Result<()> {
    let message = if name.is_empty() {
        "a name is empty"
    } else if name.starts_with('_') {
        "names that begin with _ are InfluxDB's own: choose another, or give one with #[name(\"…\")]"
    } else if name
        .chars()
        .any(|character| character.is_ascii_control() || character == '\\')
    {
        "a name has neither control characters nor backslashes: line protocol cannot carry them"
    } else {
        return Ok(());
    };
    Err(Error::new(span, message))
}

/// A doc comment, which must be there.
fn help(attributes: &[Attribute], ident: &Ident, what: &str) -> syn::Result<String> {
    doc_comment(attributes).ok_or_else(|| {
        Error::new_spanned(
            ident,
            format!("the {what} `{ident}` needs a doc comment: it is the help that users read"),
        )
    })
}

/// What holds for the fields of a struct together: unique names, one time, at least one field.
fn check_together(fields: &[Field], ident: &Ident, mistakes: &mut Mistakes) {
    let mut names = HashSet::new();
    for field in fields.iter().filter(|field| !matches!(field.role, Role::Time)) {
        if !names.insert(&field.name) {
            mistakes.add(Error::new(
                field.name_span,
                format!("the name {:?} is taken", field.name),
            ));
        }
    }
    for second in fields
        .iter()
        .filter(|field| matches!(field.role, Role::Time))
        .skip(1)
    {
        mistakes.add(Error::new(
            second.name_span,
            "a point has one time: another field is #[time] already",
        ));
    }
    if mistakes.is_empty()
        && !fields
            .iter()
            .any(|field| matches!(field.role, Role::Field { .. }))
    {
        mistakes.add(Error::new_spanned(
            ident,
            "a measurement needs a field that is neither #[tag] nor #[time]",
        ));
    }
}

fn implementation(ident: &Ident, measurement: &LitStr, help: &str, fields: &[Field]) -> TokenStream {
    let tag_schemas = fields.iter().filter_map(Field::tag_schema);
    let field_schemas = fields.iter().filter_map(Field::field_schema);
    let steps = fields.iter().map(Field::build_step);
    quote! {
        const _: () = {
            use ::tidemark_collect::__private::point as __point;

            #[automatically_derived]
            impl __point::Measurement for #ident {
                const SCHEMA: &'static __point::Schema = &__point::Schema {
                    measurement: #measurement,
                    help: #help,
                    tags: &[#(#tag_schemas),*],
                    fields: &[#(#field_schemas),*],
                };

                fn into_point(
                    self,
                    time: __point::Timestamp,
                    adjustments: &mut __point::Adjustments,
                ) -> ::core::result::Result<__point::Point, __point::PointError> {
                    let builder = __point::Point::builder(#measurement).time(time);
                    #(#steps)*
                    builder.build(adjustments)
                }
            }

            const _: () = <#ident as __point::Measurement>::SCHEMA.check();
        };
    }
}
