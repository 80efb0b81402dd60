//! Tests of the language as a whole.

use super::*;
#[test]
fn smoke() {
    let found = find(&["/work/tmp/scenario/scenarios".into()]).unwrap();
    println!("{found:?}");
    match load(&found, None) {
        Ok(s) => println!("{s:#?}"),
        Err(e) => println!("{e}"),
    }
}
