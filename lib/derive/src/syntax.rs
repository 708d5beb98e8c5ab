//! What both derives read of a struct, and how they report what is wrong with it.

use syn::{Attribute, Error, Expr, ExprLit, GenericArgument, Lit, Meta, PathArguments, PathSegment, Type};

/// Mistakes, gathered so that they are reported at once.
#[derive(Default)]
pub(crate) struct Mistakes(Option<Error>);

impl Mistakes {
    pub(crate) fn add(&mut self, error: Error) {
        match &mut self.0 {
            Some(first) => first.combine(error),
            None => self.0 = Some(error),
        }
    }

    pub(crate) fn take<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.add(error)).ok()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn finish(self) -> syn::Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}

/// The first paragraph of a doc comment, on one line; none where there is no text.
pub(crate) fn doc_comment(attributes: &[Attribute]) -> Option<String> {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text), ..
            }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    });
    // A `/** */` comment is one attribute of many lines, each with a star.
    let text = lines.collect::<Vec<_>>().join("\n");
    let paragraph: Vec<&str> = text
        .lines()
        .map(|line| line.trim().trim_start_matches("* ").trim())
        .skip_while(|line| line.is_empty())
        .take_while(|line| !line.is_empty())
        .collect();
    (!paragraph.is_empty()).then(|| paragraph.join(" "))
}

/// The last word of a type's path: `String` of `std::string::String`.
pub(crate) fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match ty {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    }
}

/// `T` where the type is written as `Option<T>`.
pub(crate) fn inner_of_option(ty: &Type) -> Option<&Type> {
    let segment = last_segment(ty).filter(|segment| segment.ident == "Option")?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    match arguments.args.first()? {
        GenericArgument::Type(inner) => Some(inner),
        _ => None,
    }
}

/// What tests of both derives ask of an expansion.
#[cfg(test)]
pub(crate) mod tests {
    use proc_macro2::TokenStream;

    /// The expansion on one line, without spaces.
    pub(crate) fn expanded(expansion: syn::Result<TokenStream>) -> String {
        expansion.unwrap().to_string().replace(char::is_whitespace, "")
    }

    /// The messages that a struct is refused with.
    pub(crate) fn refused(expansion: syn::Result<TokenStream>) -> Vec<String> {
        expansion
            .unwrap_err()
            .into_iter()
            .map(|error| error.to_string())
            .collect()
    }
}
