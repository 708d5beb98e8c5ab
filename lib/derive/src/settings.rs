//! `#[derive(Settings)]`.

use proc_macro2::TokenStream;

/// The implementation of `Section` for a struct.
pub(crate) fn expand(input: TokenStream) -> syn::Result<TokenStream> {
    Err(syn::Error::new_spanned(input, "derive(Settings) is in the making"))
}
