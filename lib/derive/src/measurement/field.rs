//! One field of a measurement's struct.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Error, Ident, LitStr, Type};

use super::{check_name, help};
use crate::syntax::{inner_of_option, last_segment};

/// A field of the struct, and what becomes of it.
pub(super) struct Field {
    ident: Ident,
    ty: Type,
    pub(super) name: String,
    /// Where its name is written.
    pub(super) name_span: Span,
    help: String,
    pub(super) role: Role,
}

/// What a field of the struct is in a point.
pub(super) enum Role {
    Tag,
    Time,
    Field { counter: bool, unit: Option<LitStr> },
}

impl Field {
    pub(super) fn read(field: &syn::Field) -> syn::Result<Field> {
        let Some(ident) = field.ident.clone() else {
            return Err(Error::new_spanned(
                field,
                "a measurement is a struct with named fields",
            ));
        };
        let attributes = Attributes::read(&field.attrs)?;
        let (name, name_span) = match &attributes.name {
            Some(name) => (name.value(), name.span()),
            None => (ident.unraw().to_string(), ident.span()),
        };
        let role = attributes.role(&field.ty)?;
        let help = match role {
            Role::Time => String::new(),
            _ => help(&field.attrs, &ident, "field")?,
        };
        if !matches!(role, Role::Time) {
            check_name(&name, name_span)?;
            if name == "time" {
                return Err(Error::new(
                    name_span,
                    "a tag or field called time hides the point's time: mark it #[time], or name it otherwise",
                ));
            }
        }
        Ok(Field {
            ident,
            ty: field.ty.clone(),
            name,
            name_span,
            help,
            role,
        })
    }

    pub(super) fn tag_schema(&self) -> Option<TokenStream> {
        let Field { name, help, .. } = self;
        matches!(self.role, Role::Tag).then(|| quote!(__point::TagSchema { name: #name, help: #help }))
    }

    pub(super) fn field_schema(&self) -> Option<TokenStream> {
        let Field { name, help, ty, .. } = self;
        let Role::Field { counter, unit } = &self.role else {
            return None;
        };
        let kind = if *counter { quote!(Counter) } else { quote!(Gauge) };
        let unit = match unit {
            Some(unit) => quote!(::core::option::Option::Some(#unit)),
            None => quote!(::core::option::Option::None),
        };
        let field_type = quote_spanned!(ty.span()=> <#ty as __point::IntoField>::FIELD_TYPE);
        Some(quote! {
            __point::FieldSchema {
                name: #name,
                kind: __point::Kind::#kind,
                field_type: #field_type,
                unit: #unit,
                help: #help,
            }
        })
    }

    /// The statement that adds the value to the `builder`.
    pub(super) fn build_step(&self) -> TokenStream {
        let Field { ident, name, ty, .. } = self;
        match &self.role {
            Role::Time => {
                let into_time = quote_spanned!(ty.span()=> __point::IntoTime::into_time);
                quote! {
                    let builder = match #into_time(self.#ident) {
                        ::core::option::Option::Some(time) => builder.time(time),
                        ::core::option::Option::None => builder,
                    };
                }
            }
            Role::Field { .. } => {
                let into_field = quote_spanned!(ty.span()=> __point::IntoField::into_field);
                quote! {
                    let builder = match #into_field(self.#ident) {
                        ::core::option::Option::Some(value) => builder.field(#name, value),
                        ::core::option::Option::None => builder,
                    };
                }
            }
            Role::Tag => match inner_of_option(ty) {
                Some(inner) => {
                    let text = tag_text(inner, &quote!(value));
                    quote! {
                        let builder = match self.#ident {
                            ::core::option::Option::Some(value) => builder.tag(#name, #text),
                            ::core::option::Option::None => builder,
                        };
                    }
                }
                None => {
                    let text = tag_text(ty, &quote!(self.#ident));
                    quote!(let builder = builder.tag(#name, #text);)
                }
            },
        }
    }
}

/// The text of a tag's value: strings as they are, others from their `Display`.
fn tag_text(ty: &Type, value: &TokenStream) -> TokenStream {
    let string = match ty {
        Type::Reference(_) => true,
        _ => last_segment(ty).is_some_and(|segment| segment.ident == "String" || segment.ident == "Cow"),
    };
    if string {
        quote_spanned!(ty.span()=> __point::IntoTag::into_tag(#value))
    } else {
        quote_spanned!(ty.span()=> ::std::string::ToString::to_string(&#value))
    }
}

/// The attributes of a field that are ours.
#[derive(Default)]
struct Attributes {
    tag: Option<Span>,
    time: Option<Span>,
    counter: Option<Span>,
    unit: Option<LitStr>,
    name: Option<LitStr>,
}

impl Attributes {
    fn read(attributes: &[Attribute]) -> syn::Result<Attributes> {
        let mut read = Attributes::default();
        for attribute in attributes {
            let Some(ident) = attribute.path().get_ident() else {
                continue;
            };
            let twice = match ident.to_string().as_str() {
                "tag" => read.tag.replace(flag(attribute)?).is_some(),
                "time" => read.time.replace(flag(attribute)?).is_some(),
                "counter" => read.counter.replace(flag(attribute)?).is_some(),
                "unit" => read.unit.replace(text(attribute, ident)?).is_some(),
                "name" => read.name.replace(text(attribute, ident)?).is_some(),
                _ => false,
            };
            if twice {
                return Err(Error::new_spanned(
                    attribute,
                    format!("#[{ident}] is given twice"),
                ));
            }
        }
        Ok(read)
    }

    fn role(&self, ty: &Type) -> syn::Result<Role> {
        let spans = [self.counter, self.unit.as_ref().map(LitStr::span)];
        match (self.tag, self.time) {
            (Some(_), Some(span)) => Err(Error::new(span, "a field is either a #[tag] or the #[time]")),
            (Some(_), None) => match spans.into_iter().flatten().next() {
                Some(span) => Err(Error::new(
                    span,
                    "a tag has neither #[unit] nor #[counter]: it is a text",
                )),
                None => Ok(Role::Tag),
            },
            (None, Some(_)) => match spans
                .into_iter()
                .chain([self.name.as_ref().map(LitStr::span)])
                .flatten()
                .next()
            {
                Some(span) => Err(Error::new(
                    span,
                    "the time has neither #[unit] nor #[counter] nor #[name]",
                )),
                None => Ok(Role::Time),
            },
            (None, None) => {
                if let Some(span) = self.counter
                    && is_no_number(inner_of_option(ty).unwrap_or(ty))
                {
                    return Err(Error::new(span, "a counter is a number"));
                }
                Ok(Role::Field {
                    counter: self.counter.is_some(),
                    unit: self.unit.clone(),
                })
            }
        }
    }
}

fn is_no_number(ty: &Type) -> bool {
    matches!(ty, Type::Reference(_))
        || last_segment(ty).is_some_and(|segment| segment.ident == "bool" || segment.ident == "String")
}

fn flag(attribute: &Attribute) -> syn::Result<Span> {
    attribute.meta.require_path_only()?;
    Ok(attribute.span())
}

fn text(attribute: &Attribute, ident: &Ident) -> syn::Result<LitStr> {
    let message = format!("write #[{ident}(\"…\")]");
    let text: LitStr = attribute
        .parse_args()
        .map_err(|error| Error::new(error.span(), &message))?;
    if text.value().trim().is_empty() {
        return Err(Error::new_spanned(
            &text,
            format!("it is empty: {message}, or leave it out"),
        ));
    }
    Ok(text)
}
