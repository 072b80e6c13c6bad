//! Draws a product: an SVG of a few shapes whose colours and proportions follow from the SKU, so that every product has its
//! own picture and always the same one. Nothing is stored.

mod motifs;

/// Hues that look well beside each other and on paper: terracotta, clay, ochre, sage, teal, slate, rose.
const HUES: [u64; 7] = [10, 24, 38, 148, 172, 206, 345];
/// Boards are made of wood: clay and ochre.
const WOODEN: [u64; 2] = [24, 34];

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

/// The picture of `sku`, 400 × 400, titled `name`.
pub(super) fn draw(sku: &str, category: &str, name: &str) -> String {
    let mut dice = Dice::new(sku);
    let hues: &[u64] = if category == "kitchen" { &WOODEN } else { &HUES };
    let hue = pick(&mut dice, hues) + dice.roll(9);
    let contrast = pick(&mut dice, &HUES) + 20;
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
    let (x, y, radius) = (90 + dice.roll(220), 110 + dice.roll(70), 70 + dice.roll(60));
    let shapes = match category {
        "tea" => motifs::caddy(&mut dice),
        "coffee" => motifs::bag(&mut dice),
        "ceramics" => motifs::pottery(&mut dice),
        "kitchen" => motifs::board(&mut dice),
        "textiles" => motifs::cloth(&mut dice),
        "stationery" => motifs::notebook(&mut dice),
        _ => motifs::parcel(&mut dice),
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

fn pick(dice: &mut Dice, from: &[u64]) -> u64 {
    let index = usize::try_from(dice.roll(from.len() as u64)).unwrap_or(0);
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
