//! `#[derive(Settings)]`.

#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{Attribute, Data, DeriveInput, Error, Expr, Field, Fields, Lit, LitBool, Meta, Token, Type};

/// Keys that every collector's section has anyway.
const COMMON: [&str; 3] = ["enabled", "run_interval", "deadline"];

/// The implementation of `Section` for a struct.
pub(crate) fn expand(input: TokenStream) -> syn::Result<TokenStream> {
    let input: DeriveInput = syn::parse2(input)?;
    let Data::Struct(data) = &input.data else {
        return Err(Error::new_spanned(
            &input.ident,
            "only a struct can be a section of the settings",
        ));
    };
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &input.generics,
            "a section of the settings cannot be generic",
        ));
    }
    let summary = help(&input.attrs).ok_or_else(|| {
        Error::new_spanned(
            &input.ident,
            "a doc comment is missing: it is the section's summary",
        )
    })?;
    let fields: Vec<&Field> = match &data.fields {
        Fields::Named(fields) => fields.named.iter().collect(),
        Fields::Unit => Vec::new(),
        Fields::Unnamed(fields) => {
            return Err(Error::new_spanned(
                fields,
                "a section's keys need names: write a struct with named fields",
            ));
        }
    };

    let mut keys = Vec::new();
    let mut reads = Vec::new();
    let mut names = Vec::new();
    let mut errors: Option<Error> = None;
    for field in fields {
        match one_key(field) {
            Ok((key, read)) => {
                keys.push(key);
                reads.push(read);
                names.extend(&field.ident);
            }
            Err(error) => match &mut errors {
                Some(errors) => errors.combine(error),
                None => errors = Some(error),
            },
        }
    }
    if let Some(errors) = errors {
        return Err(errors);
    }

    let ident = &input.ident;
    // Names of their own: a key may be called `section`.
    let locals: Vec<_> = (0..names.len())
        .map(|index| quote::format_ident!("key_{index}"))
        .collect();
    // Every key is read before the first missing one ends it, so that all mistakes are found at once.
    Ok(quote! {
        #[automatically_derived]
        impl ::tidemark_collect::__private::settings::Section for #ident {
            const SUMMARY: &'static str = #summary;
            const KEYS: &'static [::tidemark_collect::__private::settings::Key] = &[#(#keys),*];

            fn read(
                section: &mut ::tidemark_collect::__private::settings::SectionReader<'_>,
            ) -> ::core::option::Option<Self> {
                let _ = &section;
                #(let #locals = #reads;)*
                ::core::option::Option::Some(Self { #(#names: #locals?),* })
            }
        }
    })
}

/// A field's `Key`, and the expression that reads it.
fn one_key(field: &Field) -> syn::Result<(TokenStream, TokenStream)> {
    let Some(ident) = &field.ident else {
        return Err(Error::new_spanned(field, "a key needs a name"));
    };
    let name = ident.to_string();
    let name = name.strip_prefix("r#").unwrap_or(&name);
    if COMMON.contains(&name) {
        let text = format!("`{name}` is a key of every collector's section: take its value from there");
        return Err(Error::new_spanned(ident, text));
    }
    let help = help(&field.attrs)
        .ok_or_else(|| Error::new_spanned(ident, "a doc comment is missing: it is the key's help"))?;
    let default = default(&field.attrs)?;
    let field_type = &field.ty;
    let (value_type, read) = match (optional(field_type), &default) {
        (Some(_), Some(default)) => {
            let text = "an optional key has no default: leave out the `Option` or the default";
            return Err(Error::new(default.span, text));
        }
        (Some(inner), None) => (inner, quote!(section.optional::<#inner>(#name))),
        (None, Some(default)) => {
            let value = default.value.tokens();
            (
                field_type,
                quote!(section.or_default::<#field_type>(#name, #value)),
            )
        }
        (None, None) => (field_type, quote!(section.required::<#field_type>(#name))),
    };
    let default = match &default {
        Some(default) => {
            let text = default.value.plain_text();
            quote!(::core::option::Option::Some(#text))
        }
        None => quote!(::core::option::Option::None),
    };
    let key = quote! {
        ::tidemark_collect::__private::settings::Key {
            name: #name,
            type_name: <#value_type as ::tidemark_collect::__private::settings::SettingValue>::TYPE,
            default: #default,
            help: #help,
        }
    };
    Ok((key, read))
}

/// The first paragraph of a doc comment, on one line; none where there is no text.
fn help(attributes: &[Attribute]) -> Option<String> {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    // A `/** */` comment is one attribute of many lines.
    let text = lines.collect::<Vec<_>>().join("\n");
    let paragraph: Vec<&str> = text
        .lines()
        .map(|line| line.trim().trim_start_matches("* ").trim())
        .skip_while(|line| line.is_empty())
        .take_while(|line| !line.is_empty())
        .collect();
    (!paragraph.is_empty()).then(|| paragraph.join(" "))
}

/// `T` where the type is written as `Option<T>`.
fn optional(field_type: &Type) -> Option<&Type> {
    let Type::Path(path) = field_type else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == "Option")?;
    let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    match arguments.args.first()? {
        syn::GenericArgument::Type(inner) => Some(inner),
        _ => None,
    }
}

struct Default {
    span: proc_macro2::Span,
    value: DefaultValue,
}

fn default(attributes: &[Attribute]) -> syn::Result<Option<Default>> {
    let mut found = None;
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("default"))
    {
        if found.is_some() {
            return Err(Error::new_spanned(attribute, "a key has one default"));
        }
        found = Some(Default {
            span: attribute.span(),
            value: attribute.parse_args()?,
        });
    }
    Ok(found)
}

/// What `#[default(…)]` holds.
enum DefaultValue {
    String(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    List(Vec<DefaultValue>),
}

impl Parse for DefaultValue {
    fn parse(input: ParseStream<'_>) -> syn::Result<DefaultValue> {
        if input.peek(syn::token::Bracket) {
            let content;
            syn::bracketed!(content in input);
            let items: Punctuated<DefaultValue, Token![,]> = Punctuated::parse_terminated(&content)?;
            return Ok(DefaultValue::List(items.into_iter().collect()));
        }
        if input.peek(LitBool) {
            return Ok(DefaultValue::Boolean(input.parse::<LitBool>()?.value));
        }
        // A literal may have a minus sign before it, which is part of it here.
        match input.parse::<Lit>()? {
            Lit::Str(text) => Ok(DefaultValue::String(text.value())),
            Lit::Int(number) => Ok(DefaultValue::Integer(number.base10_parse()?)),
            Lit::Float(number) => Ok(DefaultValue::Float(number.base10_parse()?)),
            other => Err(Error::new_spanned(
                other,
                "a default is a string, a number, true, false or a list of these",
            )),
        }
    }
}

impl DefaultValue {
    fn tokens(&self) -> TokenStream {
        let path = quote!(::tidemark_collect::__private::settings::DefaultValue);
        match self {
            DefaultValue::String(text) => quote!(#path::String(#text)),
            DefaultValue::Integer(number) => quote!(#path::Integer(#number)),
            DefaultValue::Float(number) => quote!(#path::Float(#number)),
            DefaultValue::Boolean(truth) => quote!(#path::Boolean(#truth)),
            DefaultValue::List(items) => {
                let items = items.iter().map(DefaultValue::tokens);
                quote!(#path::List(&[#(#items),*]))
            }
        }
    }

    /// As people read it: a string without quotes, everything else as the file has it.
    fn plain_text(&self) -> String {
        match self {
            DefaultValue::String(text) => text.clone(),
            other => other.file_text(),
        }
    }

    fn file_text(&self) -> String {
        match self {
            DefaultValue::String(text) => format!("{text:?}"),
            DefaultValue::Integer(number) => number.to_string(),
            DefaultValue::Float(number) => format!("{number:?}"),
            DefaultValue::Boolean(truth) => truth.to_string(),
            DefaultValue::List(items) => {
                format!(
                    "[{}]",
                    items
                        .iter()
                        .map(DefaultValue::file_text)
                        .collect::<Vec<_>>()
                        .join(", ")
                )
            }
        }
    }
}
