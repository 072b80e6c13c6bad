//! Rebuilds the crate when a migration is added: the migrations are compiled in, and cargo would not notice a new file.

fn main() {
    println!("cargo::rerun-if-changed=../../migrations/orders");
}
