//! The vendor's accent colour, made readable: whatever was chosen, text in it and text on it keep a contrast of 4.5:1
//! on every surface of the house, light and dark. Pure arithmetic; the hue is kept, only lightness (and, where the screen
//! cannot show it, strength) gives way.

use std::fmt;

/// A colour as `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour {
    red: u8,
    green: u8,
    blue: u8,
}

/// A text that is not `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("colours are written as #0b6464: a # and six of 0-9 a-f")]
pub struct InvalidColour;

/// What ordinary text needs by WCAG 2.2, 1.4.3.
pub const READABLE: f64 = 4.5;

/// The lightest and darkest grounds that accent text is printed on: `--surface`, `--page`, `--sunken` of `style/tokens.css`,
/// and the accent's own tint, which is darker (in the dark: lighter) than the surface by less than `--sunken` is.
const LIGHT_GROUNDS: [Colour; 3] = [Colour::new(0xff, 0xff, 0xff), Colour::new(0xf8, 0xf8, 0xf5), Colour::new(0xe8, 0xea, 0xe6)];
const DARK_GROUNDS: [Colour; 3] = [Colour::new(0x17, 0x1d, 0x1d), Colour::new(0x0f, 0x14, 0x14), Colour::new(0x1f, 0x2a, 0x2a)];
/// An Oklab lightness: text that only just reads at 4.5:1 looks switched off on a dark page.
const ALIVE_ON_INK: f64 = 0.74;
const WHITE: Colour = Colour::new(0xff, 0xff, 0xff);
const INK: Colour = Colour::new(0x0f, 0x14, 0x14);

/// One accent, as it appears in one colour scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accent {
    /// Links, icons, marks: readable on the page and on cards.
    pub text: Colour,
    /// The ground of the main button,
    pub fill: Colour,
    /// the same under the pointer,
    pub fill_hover: Colour,
    /// and what is written on both.
    pub on_fill: Colour,
}

impl Colour {
    #[must_use]
    pub const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self { red, green, blue }
    }

    /// Reads `#rrggbb` in either case.
    pub fn parse(text: &str) -> Result<Self, InvalidColour> {
        let digits = text.trim().strip_prefix('#').ok_or(InvalidColour)?;
        if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(InvalidColour);
        }
        let value = u32::from_str_radix(digits, 16).map_err(|_| InvalidColour)?;
        let [_, red, green, blue] = value.to_be_bytes();
        Ok(Self { red, green, blue })
    }

    /// WCAG's contrast of two colours, from 1 to 21.
    #[must_use]
    pub fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn linear(self) -> [f64; 3] {
        [self.red, self.green, self.blue].map(|channel| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        })
    }

    fn luminance(self) -> f64 {
        let [red, green, blue] = self.linear();
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// Lightness and the two colour axes of Oklab, in which a change of lightness keeps the hue.
    fn oklab(self) -> [f64; 3] {
        let [r, g, b] = self.linear();
        let l = (0.412_221_470_8 * r + 0.536_332_536_3 * g + 0.051_445_992_9 * b).cbrt();
        let m = (0.211_903_498_2 * r + 0.680_699_545_1 * g + 0.107_396_956_6 * b).cbrt();
        let s = (0.088_302_461_9 * r + 0.281_718_837_6 * g + 0.629_978_700_5 * b).cbrt();
        [
            0.210_454_255_3 * l + 0.793_617_785_0 * m - 0.004_072_046_8 * s,
            1.977_998_495_1 * l - 2.428_592_205_0 * m + 0.450_593_709_9 * s,
            0.025_904_037_1 * l + 0.782_771_766_2 * m - 0.808_675_766_0 * s,
        ]
    }

    /// The colour of this hue at another lightness, as strong as a screen can show it.
    fn at_lightness(self, lightness: f64) -> Self {
        let [_, a, b] = self.oklab();
        let mut strength: f64 = 1.0;
        loop {
            let linear = linear_from_oklab([lightness, a * strength, b * strength]);
            if strength < 0.05 || linear.iter().all(|c| (-0.001..=1.001).contains(c)) {
                let [red, green, blue] = linear.map(channel);
                return Self { red, green, blue };
            }
            strength -= 0.05;
        }
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

fn linear_from_oklab([lightness, a, b]: [f64; 3]) -> [f64; 3] {
    let l = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
    let m = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
    let s = (lightness - 0.089_484_177_5 * a - 1.291_485_548_0 * b).powi(3);
    [
        4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s,
        -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s,
        -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701_0 * s,
    ]
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=255 just before")]
fn channel(linear: f64) -> u8 {
    let value = if linear <= 0.003_130_8 { linear * 12.92 } else { 1.055 * linear.max(0.0).powf(1.0 / 2.4) - 0.055 };
    (value * 255.0).round().clamp(0.0, 255.0) as u8
}

/// The first colour, walking from `chosen` towards black or white, that reads on all `grounds`.
fn readable_on(chosen: Colour, grounds: &[Colour], step: f64) -> Colour {
    let mut lightness = chosen.oklab()[0];
    let mut colour = chosen;
    while grounds.iter().any(|ground| colour.contrast(*ground) < READABLE) && (0.0..=1.0).contains(&lightness) {
        lightness += step;
        colour = chosen.at_lightness(lightness.clamp(0.0, 1.0));
    }
    colour
}

/// The accent for light surfaces: the chosen colour, darkened only as far as it must be.
#[must_use]
pub fn on_light(chosen: Colour) -> Accent {
    let text = readable_on(chosen, &LIGHT_GROUNDS, -0.01);
    // A button may keep a bright brand colour if dark letters read on it better than darkening would look.
    let (fill, on_fill) = if chosen.contrast(WHITE) >= READABLE || chosen.contrast(INK) < READABLE {
        (readable_on(chosen, &[WHITE], -0.01), WHITE)
    } else {
        (chosen, INK)
    };
    Accent { text, fill, fill_hover: hover(fill, on_fill), on_fill }
}

/// The accent for dark surfaces: the chosen colour, at least as light as looks alive on ink.
#[must_use]
pub fn on_dark(chosen: Colour) -> Accent {
    let lively = if chosen.oklab()[0] < ALIVE_ON_INK { chosen.at_lightness(ALIVE_ON_INK) } else { chosen };
    let text = readable_on(lively, &DARK_GROUNDS, 0.01);
    Accent { text, fill: text, fill_hover: hover(text, INK), on_fill: INK }
}

/// A step away from the letters, so that the contrast can only grow.
fn hover(fill: Colour, on_fill: Colour) -> Colour {
    let lightness = fill.oklab()[0];
    let step = if on_fill == WHITE { -0.06 } else { 0.06 };
    fill.at_lightness((lightness + step).clamp(0.0, 1.0))
}

/// What `/brand.css` answers: the accent as custom properties, for light and dark at once.
#[must_use]
pub fn brand_css(accent: Colour) -> String {
    let (light, dark) = (on_light(accent), on_dark(accent));
    let pair = |name: &str, light: Colour, dark: Colour| format!("--{name}:light-dark({light},{dark});");
    format!(
        ":root{{{}{}{}{}}}\n",
        pair("accent", light.text, dark.text),
        pair("accent-fill", light.fill, dark.fill),
        pair("accent-fill-hover", light.fill_hover, dark.fill_hover),
        pair("on-accent", light.on_fill, dark.on_fill),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_colour_is_read_in_either_case_and_nothing_else_is() {
        assert_eq!(Colour::parse("#0B6464").unwrap().to_string(), "#0b6464");
        for text in ["", "0b6464", "#0b646", "#0b64640", "#0b646g", "#+b6464", "#é6464", "red", "#0b6464;}"] {
            assert_eq!(Colour::parse(text), Err(InvalidColour), "{text}");
        }
    }

    #[test]
    fn contrast_is_that_of_wcag() {
        let black = Colour::new(0, 0, 0);
        assert!((WHITE.contrast(black) - 21.0).abs() < 1e-9);
        let grey = Colour::parse("#767676").unwrap();
        assert!((grey.contrast(WHITE) - 4.54).abs() < 0.01);
    }

    #[test]
    fn a_readable_accent_is_left_as_it_is() {
        let teal = Colour::parse("#0b6464").unwrap();
        assert_eq!(on_light(teal).text, teal);
        assert_eq!(on_light(teal).fill, teal);
    }

    #[test]
    fn a_bright_accent_keeps_its_button_and_takes_dark_letters() {
        let yellow = Colour::parse("#ffd400").unwrap();
        let accent = on_light(yellow);
        assert_eq!((accent.fill, accent.on_fill), (yellow, INK));
        assert_ne!(accent.text, yellow);
    }

    #[test]
    fn the_style_sheet_holds_nothing_but_colours() {
        let css = brand_css(Colour::parse("#ff0000").unwrap());
        assert!(css.starts_with(":root{--accent:light-dark(#") && css.ends_with(");}\n"), "{css}");
    }

    proptest! {
        #[test]
        fn every_accent_reads_on_every_surface(red: u8, green: u8, blue: u8) {
            let chosen = Colour::new(red, green, blue);
            for (accent, grounds) in [(on_light(chosen), LIGHT_GROUNDS), (on_dark(chosen), DARK_GROUNDS)] {
                for ground in grounds {
                    prop_assert!(accent.text.contrast(ground) >= READABLE, "{} on {}", accent.text, ground);
                }
                prop_assert!(accent.on_fill.contrast(accent.fill) >= READABLE, "{} on {}", accent.on_fill, accent.fill);
                prop_assert!(accent.on_fill.contrast(accent.fill_hover) >= READABLE, "{} on {}", accent.on_fill, accent.fill_hover);
            }
        }
    }
}
