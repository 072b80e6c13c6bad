//! The motifs of product images: one per category, with random variations. The CSS classes are the colors that
//! [`super::draw`] defines: `m`ain, `d`ark, `l`ight and `a`ccent fill a shape; with the prefix `s` they stroke it.

use std::fmt::Write as _;

use super::Random;

/// A tea caddy with a leaf on its label.
pub(super) fn caddy(random: &mut Random) -> String {
    let (width, height, tilt) = (130 + random.below(40), 170 + random.below(50), random.below(50));
    let (left, top) = (200 - width / 2, 330 - height);
    let (lid_left, lid_top, lid_width) = (left - 5, top - 22, width + 10);
    let (label, label_height, middle) = (top + height / 4, height / 2 + 20, top + height / 2 + 10);
    format!(
        r#"<rect class="m" x="{left}" y="{top}" width="{width}" height="{height}" rx="14"/>
<rect class="l" x="{left}" y="{top}" width="22" height="{height}" rx="11" opacity=".35"/>
<rect class="d" x="{lid_left}" y="{lid_top}" width="{lid_width}" height="34" rx="10"/>
<rect class="l" x="{left}" y="{label}" width="{width}" height="{label_height}"/>
<g transform="translate(200 {middle}) rotate({tilt})"><path class="a" d="M0 34C-34 10-24-26 0-40C24-26 34 10 0 34Z"/>
<path class="sd" stroke-width="3" d="M0 44V-22M0 14L12 2M0 2L-11-9"/></g>"#
    )
}

/// A coffee bag, folded at the top, with beans.
pub(super) fn bag(random: &mut Random) -> String {
    let (half, top) = (68 + random.below(24), 96 + random.below(36));
    let (left, right, width) = (200 - half, 200 + half, 2 * half);
    let (inner, outer, middle) = (left - 10, right + 10, top + 128);
    let (tie_left, tie_top, tie_width) = (left - 8, top + 10, width + 16);
    let mut shapes = format!(
        r#"<path class="m" d="M{left} {top}L{inner} 330Q200 340 {outer} 330L{right} {top}Z"/>
<path class="d" d="M{left} {top}h{width}v30q-{half} 10-{width} 0Z"/>
<rect class="a" x="{tie_left}" y="{tie_top}" width="{tie_width}" height="9" rx="4"/>
<circle class="l" cx="200" cy="{middle}" r="48"/>"#
    );
    for (x, down) in [(182, 118), (216, 126), (194, 152)] {
        let (y, turn) = (top + down, random.below(180));
        let _ = write!(
            shapes,
            r#"<g transform="translate({x} {y}) rotate({turn})"><ellipse class="d" rx="12" ry="17"/>
<path class="sl" stroke-width="3" d="M0-15Q7 0 0 15"/></g>"#
        );
    }
    shapes
}

/// A mug, a bowl or a vase with a painted band.
pub(super) fn pottery(random: &mut Random) -> String {
    let (band, band_width) = (215 + random.below(40), 10 + random.below(18));
    match random.below(3) {
        0 => format!(
            r#"<path class="sd" stroke-width="18" d="M268 200h26a42 42 0 0 1 0 84h-30"/>
<path class="m" d="M120 150h156v140q0 40-40 40h-76q-40 0-40-40Z"/><ellipse class="d" cx="198" cy="150" rx="78" ry="18"/>
<rect class="a" x="120" y="{band}" width="156" height="{band_width}"/>
<path class="sl" stroke-width="9" opacity=".6" d="M138 184v104"/>
<path class="sl" stroke-width="7" d="M176 124q-14-22 0-40M214 124q-14-22 0-40"/>"#
        ),
        1 => format!(
            r#"<rect class="d" x="156" y="318" width="88" height="16" rx="8"/><path class="m" d="M80 196h240q0 134-120 134T80 196Z"/>
<ellipse class="d" cx="200" cy="196" rx="120" ry="26"/><ellipse class="l" cx="200" cy="200" rx="104" ry="18"/>
<path class="sa" stroke-width="{band_width}" stroke-linecap="butt" d="M96 250q104 40 208 0"/>"#
        ),
        _ => format!(
            r#"<path class="sd" stroke-width="5" d="M200 128Q170 60 130 66M200 128Q214 50 256 48"/>
<circle class="a" cx="128" cy="66" r="20"/><circle class="a" cx="258" cy="48" r="24"/>
<path class="m" d="M172 120h56v40q52 40 40 110-8 60-40 60h-56q-32 0-40-60-12-70 40-110Z"/>
<ellipse class="d" cx="200" cy="120" rx="28" ry="8"/><path class="sl" stroke-width="{band_width}" d="M146 {band}q54 22 108 0"/>"#
        ),
    }
}

/// A cutting board with a knife and a fruit.
pub(super) fn board(random: &mut Random) -> String {
    let (tilt, fruit) = (random.below(24), 34 + random.below(14));
    let core = fruit - 12;
    format!(
        r#"<g transform="rotate(-12 200 220) rotate({tilt} 200 220)"><rect class="m" x="96" y="120" width="170" height="210" rx="24"/>
<rect class="m" x="156" y="70" width="50" height="66" rx="20"/><circle class="l" cx="181" cy="94" r="10"/>
<path class="sd" stroke-width="3" opacity=".35" d="M120 160v140M150 150v160M212 150v160M242 160v140"/>
<circle class="a" cx="180" cy="236" r="{fruit}"/><circle class="l" cx="180" cy="236" r="{core}"/></g>
<path class="d" opacity=".4" d="M290 84q30 60 18 132h-22V84Z"/><rect class="d" x="284" y="212" width="28" height="108" rx="12"/>"#
    )
}

/// A stack of folded cloth.
pub(super) fn cloth(random: &mut Random) -> String {
    let colors = ["m", "l", "a", "d"];
    let (layers, mut at) = (3 + random.below(2), usize::from(random.below(2) == 0));
    let mut shapes = String::new();
    for layer in 0..layers {
        let (width, y) = (220 + random.below(36), 284 - layer * 48);
        let (left, line, low, run) = (200 - width / 2, y + 12, y + 32, width - 36);
        let (color, stripe, fold) = (colors[at % 4], colors[(at + 2) % 4], left + 18);
        at += 1;
        let _ = write!(
            shapes,
            r#"<rect class="{color}" x="{left}" y="{y}" width="{width}" height="46" rx="22"/>
<rect class="{stripe}" x="{left}" y="{line}" width="{width}" height="7" opacity=".75"/>
<path class="sd" stroke-width="3" opacity=".35" d="M{fold} {low}h{run}"/>"#
        );
    }
    shapes
}

/// A notebook with an elastic band, and a pencil.
pub(super) fn notebook(random: &mut Random) -> String {
    let (width, height) = (150 + random.below(30), 196 + random.below(34));
    let (left, top) = (176 - width / 2, 330 - height);
    let (pages_left, pages_top, band) = (left + 8, top + 6, left + width - 34);
    let (label_left, label_top, text_left, text_top) = (left + 42, top + 44, left + 54, top + 58);
    format!(
        r#"<rect class="l" x="{pages_left}" y="{pages_top}" width="{width}" height="{height}" rx="10"/>
<rect class="m" x="{left}" y="{top}" width="{width}" height="{height}" rx="12"/>
<rect class="d" x="{left}" y="{top}" width="24" height="{height}" rx="12"/>
<rect class="a" x="{band}" y="{top}" width="9" height="{height}"/>
<rect class="l" x="{label_left}" y="{label_top}" width="70" height="40" rx="6"/>
<path class="sd" stroke-width="4" d="M{text_left} {text_top}h46m-46 12h30"/>
<g transform="translate(306 330) rotate(12)"><path class="a" d="M-11-190h22V-30L0 0-11-30Z"/>
<path class="l" d="M-11-30h22L0 0Z"/><path class="d" d="M-4-11h8L0 0Z"/>
<rect class="d" x="-11" y="-204" width="22" height="16" rx="5"/></g>"#
    )
}

/// A parcel with a ribbon, for categories without a motif of their own.
pub(super) fn parcel(random: &mut Random) -> String {
    let turn = random.below(12);
    format!(
        r#"<g transform="rotate({turn} 200 220)"><path class="m" d="M200 110l120 54v112l-120 54-120-54V164Z"/>
<path class="d" d="M200 218v112l120-54V164Z"/><path class="l" d="M200 110l120 54-120 54L80 164Z"/>
<path class="a" d="M140 137l120 54v32l-24 10v-32L116 148Z"/></g>"#
    )
}
