//! Draws an image of a product: an SVG of a few shapes. Its colors and proportions are derived from the SKU, so every product
//! has its own image, and it is always the same. Images are not stored.

mod motifs;

/// Hues that go well together: terracotta, clay, ochre, sage, teal, slate, rose.
const HUES: [u64; 7] = [10, 24, 38, 148, 172, 206, 345];
/// Hues of wood for cutting boards: clay and ochre.
const WOOD_HUES: [u64; 2] = [24, 34];

/// A pseudo-random generator seeded by a text (FNV-1a, then xorshift). It returns the same numbers on every machine and in
/// every version.
struct Random(u64);

impl Random {
    fn new(text: &str) -> Self {
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(hash | 1)
    }

    /// The next number, from 0 to `limit` - 1.
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// Draws the image of `sku`, 400 × 400 pixels, with the title `name`.
pub(super) fn draw(sku: &str, category: &str, name: &str) -> String {
    let mut random = Random::new(sku);
    let hues: &[u64] = if category == "kitchen" { &WOOD_HUES } else { &HUES };
    let hue = pick(&mut random, hues) + random.below(9);
    let contrast = pick(&mut random, &HUES) + 20;
    let color =
        |hue: u64, saturation: u8, lightness: u8| format!("hsl({},{saturation}%,{lightness}%)", hue % 360);
    let (main, dark, light, accent) = (
        color(hue, 42, 50),
        color(hue, 42, 32),
        color(hue + 12, 48, 89),
        color(contrast, 48, 52),
    );
    let (sky, ground, sun) = (
        color(hue + 14, 42, 95),
        color(hue, 34, 87),
        color(contrast, 46, 88),
    );
    let (x, y, radius) = (
        90 + random.below(220),
        110 + random.below(70),
        70 + random.below(60),
    );
    let shapes = match category {
        "tea" => motifs::caddy(&mut random),
        "coffee" => motifs::bag(&mut random),
        "ceramics" => motifs::pottery(&mut random),
        "kitchen" => motifs::board(&mut random),
        "textiles" => motifs::cloth(&mut random),
        "stationery" => motifs::notebook(&mut random),
        _ => motifs::parcel(&mut random),
    };
    let title = escape(name);
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400" width="400" height="400" role="img">
<title>{title}</title>
<style>.m{{fill:{main}}}.d{{fill:{dark}}}.l{{fill:{light}}}.a{{fill:{accent}}}.sd,.sl,.sa{{fill:none;stroke-linecap:round}}
.sd{{stroke:{dark}}}.sl{{stroke:{light}}}.sa{{stroke:{accent}}}</style>
<defs><linearGradient id="b" x1="0" y1="0" x2="1" y2="1"><stop offset="0" stop-color="{sky}"/>
<stop offset="1" stop-color="{ground}"/></linearGradient></defs>
<rect width="400" height="400" fill="url(#b)"/><circle cx="{x}" cy="{y}" r="{radius}" fill="{sun}"/>
<ellipse class="d" cx="200" cy="332" rx="128" ry="16" opacity=".18"/>
{shapes}</svg>
"#
    )
}

fn pick(random: &mut Random, from: &[u64]) -> u64 {
    let index = usize::try_from(random.below(from.len() as u64)).unwrap_or(0);
    from.get(index).copied().unwrap_or(0)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_product_has_its_own_image_and_it_is_always_the_same() {
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
            let skus = (0..70_usize).map(|n| draw(&format!("SKU-{n:04}"), categories[n % 7], "A product"));
            skus.collect()
        };
        let (once, again) = (draw_all(), draw_all());
        assert_eq!(once, again);
        let different: std::collections::HashSet<_> = once.iter().collect();
        assert_eq!(different.len(), 70);
        assert!(
            once.iter().all(|image| image.len() < 4_000),
            "every image is small"
        );
    }

    #[test]
    fn a_name_cannot_break_out_of_the_title() {
        assert!(draw("X", "tea", "</title><script>").contains("<title>&lt;/title&gt;&lt;script&gt;</title>"));
    }
}
