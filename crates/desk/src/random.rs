//! The one place where randomness comes from.

/// `N` bytes nobody can guess, from the operating system.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut out = [0; N];
    getrandom::fill(&mut out).expect("the operating system gives random bytes or nothing here is safe");
    out
}
