//! The migrations are compiled in, and cargo does not know of one that is added.

fn main() {
    println!("cargo::rerun-if-changed=../../migrations/notifications");
}
