//! diabolo's side of `pca.py`: loads MNIST, then answers each line `SOLVER COMPONENTS` on standard input with the
//! seconds that the fit took, the squared error per test image, and the peak resident memory so far in MiB.

use diabolo::rows::{Rows, RowsInMemory, for_each_chunk};
use diabolo::pca::{Pca, PcaOptions};
use std::io::{BufRead, Read};
use std::path::Path;
use std::time::Instant;

/// Images as bytes; rows of pixels from 0 to 1.
struct Images(Vec<u8>);

const PIXELS: usize = 784;
const HEADER: usize = 16;

impl Images {
    fn read(path: &Path) -> std::io::Result<Self> {
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(std::fs::File::open(path)?).read_to_end(&mut bytes)?;
        bytes.shrink_to_fit();
        Ok(Self(bytes))
    }
}

impl Rows for Images {
    fn rows(&self) -> usize {
        (self.0.len() - HEADER) / PIXELS
    }

    fn columns(&self) -> usize {
        PIXELS
    }

    fn gather(&self, indices: &[usize], out: &mut [f32]) -> diabolo::Result<()> {
        self.copy_rows(indices, out);
        Ok(())
    }
}

impl RowsInMemory for Images {
    fn copy_row(&self, row: usize, out: &mut [f32]) {
        for (to, &byte) in out.iter_mut().zip(&self.0[HEADER + row * PIXELS..]) {
            *to = f32::from(byte) / 255.0;
        }
    }
}

fn error_per_row(pca: &Pca, images: &Images) -> diabolo::Result<f64> {
    let mut sum = 0.0;
    for_each_chunk(images, |chunk| {
        let back = pca.reconstruct(chunk);
        sum += chunk.as_slice().iter().zip(back.as_slice()).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>();
        Ok(())
    })?;
    Ok(sum / images.rows() as f64)
}

fn peak_mebibytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or(0.0) / 1024.0
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = Path::new(&std::env::var_os("DIABOLO_DATA").ok_or("set DIABOLO_DATA")?).join("mnist");
    let train = Images::read(&directory.join("train-images-idx3-ubyte.gz"))?;
    let test = Images::read(&directory.join("t10k-images-idx3-ubyte.gz"))?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (solver, components) = line.split_once(' ').ok_or("SOLVER COMPONENTS")?;
        let options =
            PcaOptions { solver: solver.parse()?, components: components.parse()?, ..PcaOptions::default() };
        let start = Instant::now();
        let pca = Pca::fit(&train, &options)?;
        let seconds = start.elapsed().as_secs_f64();
        let peak = peak_mebibytes();
        println!("{seconds} {} {peak}", error_per_row(&pca, &test)?);
    }
    Ok(())
}
