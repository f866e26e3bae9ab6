//! Rows that are read when they are needed, and may fail, are trained on as rows in memory are.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use diabolo::evaluate::evaluate;
use diabolo::kernels::Activation;
use diabolo::network::{Activations, Architecture, Initialisation, Network};
use diabolo::pca::{Pca, PcaOptions};
use diabolo::rows::Rows;
use diabolo::train::{Stopping, TrainOptions, train};
use diabolo::{Error, Matrix, Result};

/// Rows of a matrix that fail once `left` rows have been read.
struct Disk {
    matrix: Matrix,
    left: AtomicUsize,
}

impl Disk {
    fn new(matrix: &Matrix, left: usize) -> Self {
        Self { matrix: matrix.clone(), left: AtomicUsize::new(left) }
    }
}

impl Rows for Disk {
    fn rows(&self) -> usize {
        self.matrix.rows()
    }

    fn columns(&self) -> usize {
        self.matrix.columns()
    }

    fn gather(&self, indices: &[usize], out: &mut [f32]) -> Result<()> {
        let wanted = indices.len();
        let take = |left: usize| left.checked_sub(wanted);
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).map_err(|_| Error::Io {
            path: PathBuf::from("rows.bin"),
            action: "cannot read",
            source: std::io::ErrorKind::UnexpectedEof.into(),
        })?;
        self.matrix.gather(indices, out)
    }
}

fn matrix(columns: usize) -> Matrix {
    let values: Vec<f32> = (0..200 * columns).map(|index| (index as f32 * 0.37).sin()).collect();
    Matrix::from_slice(200, columns, &values)
}

/// A network whose minibatches are narrow, and one whose minibatches go through in tiles.
const SIZES: [&str; 2] = ["5,3,5", "40,20,3,20,40"];

fn network(sizes: &str) -> Network {
    let architecture = Architecture::new(sizes.parse().unwrap(), Activations::hidden(Activation::Tanh), true);
    Network::new(architecture, Initialisation::FanIn, 1)
}

fn columns(sizes: &str) -> usize {
    network(sizes).architecture().sizes().input()
}

#[test]
fn rows_from_a_disk_train_to_the_same_bits_as_rows_in_memory() {
    for sizes in SIZES {
        let matrix = matrix(columns(sizes));
        let trained = |rows: &dyn Rows| {
            let mut network = network(sizes);
            let options = TrainOptions { epochs: 3, ..TrainOptions::default() };
            train(&mut network, rows, Some(rows), &options, &mut ()).unwrap();
            network.parameters().to_vec()
        };
        assert_eq!(trained(&matrix), trained(&Disk::new(&matrix, usize::MAX)), "{sizes}");
    }
}

#[test]
fn a_row_that_cannot_be_read_ends_training_measuring_and_fitting_with_its_error() {
    for sizes in SIZES {
        let matrix = matrix(columns(sizes));
        for left in [0, 1, 150, 250] {
            let disk = Disk::new(&matrix, left);
            let options = TrainOptions { epochs: 3, ..TrainOptions::default() };
            let error = train(&mut network(sizes), &disk, None, &options, &mut ()).unwrap_err();
            assert_eq!(error.to_string(), "rows.bin: cannot read: unexpected end of file", "{sizes}, {left}");
        }
        let disk = Disk::new(&matrix, 150);
        assert!(matches!(evaluate(&network(sizes), &disk), Err(Error::Io { .. })));
        assert!(matches!(Pca::fit(&disk, &PcaOptions::default()), Err(Error::Io { .. })));
    }
}

#[test]
fn a_row_that_cannot_be_read_is_no_divergence_to_try_again() {
    let matrix = matrix(5);
    let stopping = Stopping { retries: 5, ..Stopping::default() };
    let options = TrainOptions { epochs: 3, stopping, ..TrainOptions::default() };
    let error = train(&mut network("5,3,5"), &Disk::new(&matrix, 300), None, &options, &mut ()).unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error}");
}
