//! `#[derive(Settings)]`.

#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{Attribute, Data, DeriveInput, Error, Field, Fields, Ident, Lit, LitBool, LitStr, Token};

use crate::syntax::{Mistakes, doc_comment, inner_of_option};

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
    let summary = doc_comment(&input.attrs).ok_or_else(|| {
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

    let mut mistakes = Mistakes::default();
    let keys: Vec<Key<'_>> = fields
        .into_iter()
        .filter_map(|field| mistakes.take(Key::of(field)))
        .collect();
    mistakes.finish()?;
    let names = keys.iter().map(|key| key.ident);
    let declarations = keys.iter().map(|key| &key.declaration);
    let reads = keys.iter().map(|key| &key.read);
    let checks = keys.iter().filter_map(|key| key.check.as_ref());

    let ident = &input.ident;
    // Names of their own: a key may be called `section`.
    let locals: Vec<_> = (0..keys.len())
        .map(|index| quote::format_ident!("key_{index}"))
        .collect();
    // Every key is read before the first missing one ends it, so that all mistakes are found at once.
    Ok(quote! {
        #[automatically_derived]
        impl ::tidemark_collect::__private::settings::Section for #ident {
            const SUMMARY: &'static str = #summary;
            const KEYS: &'static [::tidemark_collect::__private::settings::Key] = &[#(#declarations),*];

            fn read(
                section: &mut ::tidemark_collect::__private::settings::SectionReader<'_>,
            ) -> ::core::option::Option<Self> {
                let _ = &section;
                #(let #locals = #reads;)*
                ::core::option::Option::Some(Self { #(#names: #locals?),* })
            }
        }

        #(#checks)*
    })
}

/// What becomes of a field.
struct Key<'a> {
    ident: &'a Ident,
    /// Its `Key`.
    declaration: TokenStream,
    /// The expression that reads it.
    read: TokenStream,
    /// The item that does not compile where the default is of another kind than the key.
    check: Option<TokenStream>,
}

impl<'a> Key<'a> {
    fn of(field: &'a Field) -> syn::Result<Key<'a>> {
        let Some(ident) = &field.ident else {
            return Err(Error::new_spanned(field, "a key needs a name"));
        };
        let name = name(&field.attrs)?.unwrap_or_else(|| ident.unraw().to_string());
        let help = doc_comment(&field.attrs)
            .ok_or_else(|| Error::new_spanned(ident, "a doc comment is missing: it is the key's help"))?;
        let default = default(&field.attrs)?;
        let field_type = &field.ty;
        let (value_type, read) = match (inner_of_option(field_type), &default) {
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
        let text = match &default {
            Some(default) => {
                let text = default.value.plain_text();
                quote!(::core::option::Option::Some(#text))
            }
            None => quote!(::core::option::Option::None),
        };
        let declaration = quote! {
            ::tidemark_collect::__private::settings::Key {
                name: #name,
                type_name: <#value_type as ::tidemark_collect::__private::settings::SettingValue>::TYPE,
                default: #text,
                help: #help,
                keys: <#value_type as ::tidemark_collect::__private::settings::SettingValue>::KEYS_BELOW,
            }
        };
        let check = default.map(|default| {
            let value = default.value.tokens();
            let message = format!("the default of `{name}` is of another kind than the key");
            quote_spanned! {default.span=>
                const _: () = ::core::assert!(
                    <#field_type as ::tidemark_collect::__private::settings::SettingValue>::LITERAL.takes(#value),
                    #message
                );
            }
        });
        Ok(Key {
            ident,
            declaration,
            read,
            check,
        })
    }
}

/// What `#[key("…")]` calls the key, where it is not the field's name.
fn name(attributes: &[Attribute]) -> syn::Result<Option<String>> {
    let mut found = None;
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("key"))
    {
        let text = attribute.parse_args::<LitStr>()?;
        let name = text.value();
        let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if name.is_empty() || !name.bytes().all(is_bare) {
            let fault = "a key is letters, digits, _ and -, as it stands in the file without quotes";
            return Err(Error::new_spanned(text, fault));
        }
        if found.replace(name).is_some() {
            return Err(Error::new_spanned(attribute, "a key has one name"));
        }
    }
    Ok(found)
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
