//! Draws a product: an SVG of a few shapes whose colours and proportions follow from the SKU, so that every product has its
//! own picture and always the same one. Nothing is stored.

use std::fmt::Write as _;

/// Numbers that follow from a text (FNV-1a, then xorshift): the same on every machine and in every version.
struct Dice(u64);

impl Dice {
    fn new(text: &str) -> Self {
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(hash | 1)
    }

    /// From 0 to below `sides`.
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// Colours that go together around one hue, as CSS.
struct Palette {
    hue: u64,
}

impl Palette {
    fn color(&self, turn: u64, saturation: u8, lightness: u8) -> String {
        format!("hsl({},{saturation}%,{lightness}%)", (self.hue + turn) % 360)
    }
}

/// The picture of `sku`, 400 × 400, titled `name`.
pub(super) fn draw(sku: &str, category: &str, name: &str) -> String {
    let mut dice = Dice::new(sku);
    let palette = Palette { hue: dice.roll(360) };
    let (main, dark, light, accent) = (
        palette.color(0, 48, 52),
        palette.color(0, 50, 36),
        palette.color(12, 55, 88),
        palette.color(150 + dice.roll(60), 55, 58),
    );
    let shapes = match category {
        "tea" => tin(&mut dice, &main, &dark, &light, &accent),
        "coffee" => bag(&mut dice, &main, &dark, &light, &accent),
        "ceramics" => pottery(&mut dice, &main, &dark, &light, &accent),
        "kitchen" => board(&mut dice, &main, &dark, &light, &accent),
        "textiles" => stack(&mut dice, &main, &dark, &light, &accent),
        "stationery" => notebook(&mut dice, &main, &dark, &light, &accent),
        _ => parcel(&main, &dark, &light, &accent),
    };
    let (sky, ground, sun) = (
        palette.color(20, 50, 95),
        palette.color(345, 42, 86),
        palette.color(190, 45, 90),
    );
    let (x, y, radius) = (90 + dice.roll(220), 110 + dice.roll(70), 70 + dice.roll(60));
    let title = escape(name);
    format!(
        concat!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400" width="400" height="400" role="img">"#,
            "<title>{title}</title>",
            r#"<defs><linearGradient id="b" x1="0" y1="0" x2="1" y2="1"><stop offset="0" stop-color="{sky}"/>"#,
            r#"<stop offset="1" stop-color="{ground}"/></linearGradient></defs>"#,
            r#"<rect width="400" height="400" fill="url(#b)"/><circle cx="{x}" cy="{y}" r="{radius}" fill="{sun}"/>"#,
            r#"<ellipse cx="200" cy="332" rx="128" ry="16" fill="{dark}" opacity=".18"/>{shapes}</svg>"#,
        ),
        title = title,
        sky = sky,
        ground = ground,
        x = x,
        y = y,
        radius = radius,
        sun = sun,
        dark = dark,
        shapes = shapes,
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// A tea caddy with a leaf on its label.
fn tin(dice: &mut Dice, main: &str, dark: &str, light: &str, accent: &str) -> String {
    let (width, height) = (130 + dice.roll(40), 170 + dice.roll(50));
    let (left, top) = (200 - width / 2, 330 - height);
    let tilt = dice.roll(50);
    let leaf = "M0 34C-34 10-24-26 0-40C24-26 34 10 0 34ZM0 34V-22";
    let (label, middle) = (top + height / 4, top + height / 2 + 10);
    format!(
        concat!(
            r#"<rect x="{left}" y="{top}" width="{width}" height="{height}" rx="14" fill="{main}"/>"#,
            r#"<rect x="{left}" y="{top}" width="22" height="{height}" rx="11" fill="{light}" opacity=".35"/>"#,
            r#"<rect x="{lid}" y="{lidtop}" width="{lidwidth}" height="34" rx="10" fill="{dark}"/>"#,
            r#"<rect x="{left}" y="{label}" width="{width}" height="{half}" fill="{light}"/>"#,
            r#"<g transform="translate(200 {middle}) rotate({tilt})" fill="{accent}" stroke="{dark}" stroke-width="3">"#,
            r#"<path d="{leaf}"/></g>"#,
        ),
        left = left,
        top = top,
        width = width,
        height = height,
        main = main,
        light = light,
        dark = dark,
        lid = left - 5,
        lidtop = top - 22,
        lidwidth = width + 10,
        label = label,
        half = height / 2 + 20,
        middle = middle,
        tilt = tilt,
        accent = accent,
        leaf = leaf,
    )
}

/// A coffee bag, folded at the top, with beans.
fn bag(dice: &mut Dice, main: &str, dark: &str, light: &str, accent: &str) -> String {
    let (half, top) = (68 + dice.roll(24), 96 + dice.roll(36));
    let (left, right) = (200 - half, 200 + half);
    let mut shapes = format!(
        concat!(
            r#"<path d="M{left} {top}L{inner} 330Q200 340 {outer} 330L{right} {top}Z" fill="{main}"/>"#,
            r#"<path d="M{left} {top}h{width}v30q-{half} 10-{width} 0Z" fill="{dark}"/>"#,
            r#"<rect x="{tie}" y="{tietop}" width="{tiewidth}" height="9" rx="4" fill="{accent}"/>"#,
            r#"<circle cx="200" cy="{middle}" r="48" fill="{light}"/>"#,
        ),
        left = left,
        right = right,
        top = top,
        inner = left - 10,
        outer = right + 10,
        width = 2 * half,
        half = half,
        tie = left - 8,
        tietop = top + 10,
        tiewidth = 2 * half + 16,
        middle = top + 128,
        main = main,
        dark = dark,
        light = light,
        accent = accent,
    );
    for (x, y) in [(182, top + 118), (214, top + 128), (192, top + 150)] {
        let turn = dice.roll(180);
        let _ = write!(
            shapes,
            concat!(
                r#"<g transform="translate({x} {y}) rotate({turn})"><ellipse rx="13" ry="18" fill="{dark}"/>"#,
                r#"<path d="M0-16Q7 0 0 16" fill="none" stroke="{light}" stroke-width="3"/></g>"#,
            ),
            x = x,
            y = y,
            turn = turn,
            dark = dark,
            light = light,
        );
    }
    shapes
}

/// A mug, a bowl or a vase with a painted band.
fn pottery(dice: &mut Dice, main: &str, dark: &str, light: &str, accent: &str) -> String {
    let band = 215 + dice.roll(40);
    match dice.roll(3) {
        0 => format!(
            concat!(
                r#"<path d="M268 200h26a42 42 0 0 1 0 84h-30" fill="none" stroke="{dark}" stroke-width="18"/>"#,
                r#"<path d="M120 150h156v140q0 40-40 40h-76q-40 0-40-40Z" fill="{main}"/>"#,
                r#"<ellipse cx="198" cy="150" rx="78" ry="18" fill="{dark}"/>"#,
                r#"<rect x="120" y="{band}" width="156" height="26" fill="{accent}"/>"#,
                r#"<path d="M138 180v110" stroke="{light}" stroke-width="9" stroke-linecap="round" opacity=".6"/>"#,
                r#"<path d="M176 124q-14-22 0-40M214 124q-14-22 0-40" fill="none" stroke="{light}" stroke-width="7" stroke-linecap="round"/>"#,
            ),
            dark = dark,
            main = main,
            accent = accent,
            light = light,
            band = band,
        ),
        1 => format!(
            concat!(
                r#"<path d="M80 196h240q0 134-120 134T80 196Z" fill="{main}"/>"#,
                r#"<ellipse cx="200" cy="196" rx="120" ry="26" fill="{dark}"/>"#,
                r#"<ellipse cx="200" cy="200" rx="104" ry="18" fill="{light}"/>"#,
                r#"<path d="M92 250q108 40 216 0" fill="none" stroke="{accent}" stroke-width="12"/>"#,
                r#"<rect x="156" y="322" width="88" height="12" rx="6" fill="{dark}"/>"#,
            ),
            dark = dark,
            main = main,
            accent = accent,
            light = light,
        ),
        _ => format!(
            concat!(
                r#"<path d="M200 128Q170 60 130 66M200 128Q214 50 256 48" fill="none" stroke="{dark}" stroke-width="5"/>"#,
                r#"<circle cx="128" cy="66" r="20" fill="{accent}"/><circle cx="258" cy="48" r="24" fill="{accent}"/>"#,
                r#"<path d="M172 120h56v40q52 40 40 110-8 60-40 60h-56q-32 0-40-60-12-70 40-110Z" fill="{main}"/>"#,
                r#"<ellipse cx="200" cy="120" rx="28" ry="8" fill="{dark}"/>"#,
                r#"<path d="M134 {band}q66 26 132 0" fill="none" stroke="{light}" stroke-width="12"/>"#,
            ),
            dark = dark,
            main = main,
            accent = accent,
            light = light,
            band = band,
        ),
    }
}

/// A cutting board with a knife and what is being cut.
fn board(dice: &mut Dice, main: &str, dark: &str, light: &str, accent: &str) -> String {
    let (tilt, fruit) = (dice.roll(24), 34 + dice.roll(14));
    let lean = i64::try_from(tilt).unwrap_or_default() - 12;
    format!(
        concat!(
            r#"<g transform="rotate({lean} 200 220)"><rect x="96" y="120" width="170" height="210" rx="24" fill="{main}"/>"#,
            r#"<rect x="156" y="70" width="50" height="66" rx="20" fill="{main}"/><circle cx="181" cy="94" r="10" fill="{light}"/>"#,
            r#"<path d="M120 160v140M150 150v160M212 150v160M242 160v140" stroke="{dark}" stroke-width="3" opacity=".35"/>"#,
            r#"<circle cx="180" cy="236" r="{fruit}" fill="{accent}"/><circle cx="180" cy="236" r="{core}" fill="{light}"/></g>"#,
            r#"<path d="M296 84q30 60 12 132h-22V84Z" fill="{light}" stroke="{dark}" stroke-width="3"/>"#,
            r#"<rect x="282" y="214" width="30" height="104" rx="12" fill="{dark}"/>"#,
        ),
        lean = lean,
        main = main,
        light = light,
        dark = dark,
        accent = accent,
        fruit = fruit,
        core = fruit - 12,
    )
}

/// A stack of folded cloth.
fn stack(dice: &mut Dice, main: &str, dark: &str, light: &str, accent: &str) -> String {
    let mut shapes = String::new();
    let colors = [main, light, accent, dark];
    let layers = 3 + dice.roll(2);
    for layer in 0..layers {
        let (width, y) = (220 + dice.roll(36), 284 - layer * 48);
        let left = 200 - width / 2;
        let first = usize::try_from(layer + dice.roll(2)).unwrap_or_default();
        let (color, stripe) = (colors[first % 4], colors[(first + 2) % 4]);
        let _ = write!(
            shapes,
            concat!(
                r#"<rect x="{left}" y="{y}" width="{width}" height="46" rx="22" fill="{color}"/>"#,
                r#"<rect x="{left}" y="{line}" width="{width}" height="7" fill="{stripe}" opacity=".75"/>"#,
                r#"<path d="M{fold} {low}h{run}" stroke="{dark}" stroke-width="3" opacity=".35"/>"#,
            ),
            left = left,
            y = y,
            width = width,
            color = color,
            line = y + 12,
            stripe = stripe,
            fold = left + 18,
            low = y + 32,
            run = width - 30,
            dark = dark,
        );
    }
    shapes
}

/// A notebook with an elastic band, and a pencil.
fn notebook(dice: &mut Dice, main: &str, dark: &str, light: &str, accent: &str) -> String {
    let (width, height) = (150 + dice.roll(30), 196 + dice.roll(34));
    let (left, top) = (176 - width / 2, 330 - height);
    format!(
        concat!(
            r#"<rect x="{pages}" y="{pagetop}" width="{width}" height="{height}" rx="10" fill="{light}"/>"#,
            r#"<rect x="{left}" y="{top}" width="{width}" height="{height}" rx="12" fill="{main}"/>"#,
            r#"<rect x="{left}" y="{top}" width="24" height="{height}" rx="12" fill="{dark}"/>"#,
            r#"<rect x="{band}" y="{top}" width="9" height="{height}" fill="{accent}"/>"#,
            r#"<rect x="{label}" y="{labeltop}" width="70" height="40" rx="6" fill="{light}"/>"#,
            r#"<path d="M{write} {line}h46m-46 12h30" stroke="{dark}" stroke-width="4" stroke-linecap="round"/>"#,
            r#"<g transform="translate(306 330) rotate(12)"><path d="M-11-190h22V-30L0 0-11-30Z" fill="{accent}"/>"#,
            r#"<path d="M-11-30h22L0 0Z" fill="{light}"/><path d="M-4-11h8L0 0Z" fill="{dark}"/>"#,
            r#"<rect x="-11" y="-204" width="22" height="16" rx="5" fill="{dark}"/></g>"#,
        ),
        pages = left + 8,
        pagetop = top + 6,
        left = left,
        top = top,
        width = width,
        height = height,
        band = left + width - 34,
        label = left + 42,
        labeltop = top + 44,
        write = left + 54,
        line = top + 58,
        main = main,
        dark = dark,
        light = light,
        accent = accent,
    )
}

/// A parcel with a ribbon, for whatever has no picture of its own kind.
fn parcel(main: &str, dark: &str, light: &str, accent: &str) -> String {
    format!(
        concat!(
            r#"<path d="M200 110l120 54v112l-120 54-120-54V164Z" fill="{main}"/><path d="M200 218v112l120-54V164Z" fill="{dark}"/>"#,
            r#"<path d="M200 110l120 54-120 54L80 164Z" fill="{light}"/>"#,
            r#"<path d="M140 137l120 54v32l-24 10v-32L116 148Z" fill="{accent}"/>"#,
        ),
        main = main,
        dark = dark,
        light = light,
        accent = accent,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_product_has_its_own_picture_and_always_the_same() {
        let categories = [
            "tea",
            "coffee",
            "ceramics",
            "kitchen",
            "textiles",
            "stationery",
            "other",
        ];
        let draw_all = || -> Vec<_> {
            let skus = (0..70_usize).map(|n| draw(&format!("SKU-{n:04}"), categories[n % 7], "A thing"));
            skus.collect()
        };
        let (once, again) = (draw_all(), draw_all());
        assert_eq!(once, again);
        let different: std::collections::HashSet<_> = once.iter().collect();
        assert_eq!(different.len(), 70);
        assert!(
            once.iter().all(|picture| picture.len() < 4_000),
            "a picture is small"
        );
    }

    #[test]
    fn a_name_cannot_break_out_of_the_title() {
        assert!(draw("X", "tea", "</title><script>").contains("<title>&lt;/title&gt;&lt;script&gt;</title>"));
    }
}
