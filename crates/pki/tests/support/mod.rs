//! What several of these tests use.

/// Asserts which error it is, with the value of each field that is named: its variants can't be built outside of the crate.
macro_rules! assert_error {
    ($error:expr, Error::$variant:ident { $($field:ident: $value:expr),* $(,)? }) => {{
        let expected = ($($value,)*);
        match $error {
            Error::$variant { $($field,)* .. } => assert_eq!(($($field,)*), expected),
            other => panic!("{other:?} is not {}", stringify!($variant)),
        }
    }};
}
