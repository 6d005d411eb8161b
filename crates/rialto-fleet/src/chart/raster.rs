//! A small picture: lines and plain letters on an indexed bitmap, written as PNG.
//!
//! It can draw charts and nothing else.

pub use png::EncodingError as PngError;

/// A bitmap of palette indices.
pub(super) struct Raster {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
    palette: Vec<[u8; 3]>,
}

impl Raster {
    /// A white picture.
    pub(super) fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            pixels: vec![0; width * height],
            palette: vec![[255, 255, 255]],
        }
    }

    /// The index of a colour given as `#rrggbb`.
    fn colour(&mut self, hex: &str) -> u8 {
        let channel = |at: usize| {
            hex.get(at..at + 2)
                .and_then(|h| u8::from_str_radix(h, 16).ok())
        };
        let rgb = [1, 3, 5].map(|at| channel(at).unwrap_or(0));
        let found = self.palette.iter().position(|c| *c == rgb);
        let index = found.unwrap_or_else(|| {
            self.palette.push(rgb);
            self.palette.len() - 1
        });
        index.min(255) as u8
    }

    fn dot(&mut self, x: f64, y: f64, thickness: f64, colour: u8) {
        let half = thickness / 2.0;
        let (left, top) = ((x - half).round().max(0.0), (y - half).round().max(0.0));
        let size = thickness.round().max(1.0) as usize;
        for py in top as usize..(top as usize + size).min(self.height) {
            for px in left as usize..(left as usize + size).min(self.width) {
                self.pixels[py * self.width + px] = colour;
            }
        }
    }

    /// A straight line.
    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), thickness: f64, hex: &str) {
        let colour = self.colour(hex);
        let length = (to.0 - from.0).abs().max((to.1 - from.1).abs());
        let steps = length.ceil().max(1.0);
        for i in 0..=steps as usize {
            let t = i as f64 / steps;
            let at = (from.0 + (to.0 - from.0) * t, from.1 + (to.1 - from.1) * t);
            self.dot(at.0, at.1, thickness, colour);
        }
    }

    /// Text whose baseline starts at `(x, y)`; `size` is the height of a capital.
    pub(super) fn text(&mut self, x: f64, y: f64, size: f64, text: &str, hex: &str) {
        let scale = size / 6.0;
        for (i, c) in text.chars().enumerate() {
            let left = x + i as f64 * text_width(1, size);
            for stroke in strokes(c.to_ascii_uppercase()).split(' ') {
                let points: Vec<(f64, f64)> = stroke
                    .as_bytes()
                    .chunks_exact(2)
                    .map(|p| {
                        let (gx, gy) = (f64::from(p[0] - b'0'), f64::from(p[1] - b'0'));
                        (left + gx * scale, y - gy * scale)
                    })
                    .collect();
                for pair in points.windows(2) {
                    self.line(pair[0], pair[1], 1.0, hex);
                }
            }
        }
    }

    /// The picture as a PNG file.
    pub(super) fn png(&self) -> Result<Vec<u8>, PngError> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Eight);
        let colours = self.palette.iter().take(256);
        encoder.set_palette(colours.flatten().copied().collect::<Vec<u8>>());
        encoder.write_header()?.write_image_data(&self.pixels)?;
        Ok(file)
    }
}

/// Width of `letters` letters whose capitals are `size` high.
pub(super) fn text_width(letters: usize, size: f64) -> f64 {
    letters as f64 * size * 5.6 / 6.0
}

/// A letter's strokes: polylines of points `xy` on a grid 4 wide and 6 high, y upwards.
fn strokes(c: char) -> &'static str {
    match c {
        'A' => "0004264440 0242",
        'B' => "0006364534330343 333442413000",
        'C' => "4536160501103041",
        'D' => "000626454120 2000",
        'E' => "46060040 0333",
        'F' => "460600 0333",
        'G' => "453616050110304143 4323",
        'H' => "0006 4046 0343",
        'I' => "1636 2620 1030",
        'J' => "46413010011",
        'K' => "0006 460340 03",
        'L' => "060040",
        'M' => "0006234640",
        'N' => "00064046",
        'O' => "10010516364541301",
        'P' => "00063645443303",
        'Q' => "1001051636454130 10 2240",
        'R' => "00063645443303 2340",
        'S' => "453616050413334241301001",
        'T' => "0646 2620",
        'U' => "060110304146",
        'V' => "062046",
        'W' => "0610233046",
        'X' => "0046 0640",
        'Y' => "062346 2320",
        'Z' => "06460040",
        '0' => "1001051636454130 10 0145",
        '1' => "152620 1030",
        '2' => "051636454400 0040",
        '3' => "0536454433 334241301001",
        '4' => "36024 0242 3630",
        '5' => "460604344341300",
        '6' => "451605011030414233130",
        '7' => "064620",
        '8' => "13040516364544331302011030414233",
        '9' => "4333130405163645413010",
        '.' => "2021",
        ',' => "2110",
        ':' => "2122 2425",
        '-' => "1333",
        '+' => "1333 2224",
        '/' => "0046",
        '%' => "0046 0506161505 30314140",
        '[' => "36161030",
        ']' => "16363010",
        '(' => "36241230",
        ')' => "16242210",
        '=' => "0242 0444",
        '<' => "450341",
        '>' => "054301",
        '_' => "0040",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_its_size_and_a_drawn_line() {
        let mut raster = Raster::new(20, 16);
        raster.line((2.0, 3.0), (17.0, 3.0), 1.0, "#ff0000");
        raster.text(2.0, 14.0, 4.0, "A1%", "#000000");
        let file = raster.png().unwrap();
        let mut read = png::Decoder::new(std::io::Cursor::new(&file))
            .read_info()
            .unwrap();
        let mut pixels = vec![0; 20 * 16];
        let shape = read.next_frame(&mut pixels).unwrap();
        assert_eq!((shape.width, shape.height), (20, 16));
        assert_eq!(pixels, raster.pixels);
        assert!(raster.pixels.iter().filter(|p| **p == 1).count() >= 15);
        assert!(raster.pixels.contains(&2));
    }
}
