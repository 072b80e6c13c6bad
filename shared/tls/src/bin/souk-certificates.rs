//! `souk-certificates FOLDER NAME…` creates a private CA in `FOLDER/ca`, and a certificate for each named process in
//! `FOLDER/NAME`. It keeps an existing CA, and certificates that are less than 30 days old.

use std::path::Path;

use anyhow::bail;
use souk_tls::Authority;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [folder, names @ ..] = &arguments[..] else {
        bail!("usage: souk-certificates FOLDER NAME…");
    };
    let folder = Path::new(folder);
    let authority = Authority::open(&folder.join("ca"))?;
    for name in names {
        if authority.renew(name, &folder.join(name))? {
            println!("issued a certificate for {name}");
        }
    }
    Ok(())
}
