//! Part of the module `extras`: injected points moved by hand.

use serde::Serialize;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

use super::convert::{Numbers, read_spec, to_js};
use super::result::Model;
use super::run::Data;
use crate::by_hand;
use crate::spec::Spec;

/// A model trained with points that were moved by hand.
#[derive(Serialize, Tsify)]
pub struct Retrained {
    model: Model,
    utility: f64,
    /// Where the injected points of the picture are: two numbers each.
    places: Numbers,
    /// The norm of the point that was moved last; not a number: none was.
    norm: f64,
}

/// The end of a run, whose injected points can be moved. Call `free` when it is no longer needed.
#[wasm_bindgen]
pub struct ByHand {
    hand: by_hand::ByHand,
    targets: Vec<usize>,
}

#[wasm_bindgen]
impl ByHand {
    /// Runs a specification on its data.
    #[wasm_bindgen(constructor)]
    pub fn new(data: &Data, spec: Ts<Spec>) -> std::result::Result<ByHand, JsValue> {
        let spec = read_spec(spec, Some(&data.0))?;
        Ok(Self {
            hand: by_hand::ByHand::new(&spec, &data.0)?,
            targets: spec.targets,
        })
    }

    /// Moves the point with this number in the picture, and retrains.
    pub fn move_to(
        &mut self,
        number: usize,
        along: f64,
        across: f64,
    ) -> std::result::Result<Ts<Retrained>, JsValue> {
        let retrained = self.hand.move_to(number, [along, across])?;
        Ok(self.to_js(&retrained))
    }

    /// Puts all points back where the run left them, and retrains.
    pub fn restore(&mut self) -> std::result::Result<Ts<Retrained>, JsValue> {
        let retrained = self.hand.restore()?;
        Ok(self.to_js(&retrained))
    }

    fn to_js(&self, retrained: &by_hand::Retrained) -> Ts<Retrained> {
        to_js(&Retrained {
            model: Model::new(&retrained.model, &self.targets),
            utility: retrained.utility,
            places: Numbers::of(&retrained.places),
            norm: retrained.norm,
        })
    }
}
