//! Rebuilds the crate when a migration is added: the migrations are embedded, but cargo does not track their directory.

fn main() {
    println!("cargo::rerun-if-changed=../../migrations/users");
}
