//! The catalogue as a user of the library meets it.

use rialto_fleet::catalogue::{Catalogue, CatalogueError};
use rialto_fleet::step::{Deployment, Engine, Parameters, Plan, StepLoad, StepModel};

#[test]
fn every_node_holds_a_chip_that_can_serve_a_model_that_fits() {
    let c = Catalogue::shipped().unwrap();
    let parameters = Parameters::shipped().unwrap();
    let (model, precision) = (
        c.model("llama3.1-8b").unwrap(),
        c.precision("bf16").unwrap(),
    );
    for node in &c.nodes {
        let (chip, fabric) = (c.chip(&node.chip).unwrap(), c.fabric(&node.fabric).unwrap());
        let plan = Plan::tensor(4);
        let d = Deployment::new(chip, model, precision, plan, Engine::Vllm).unwrap();
        let step = StepModel::new(&d.on_node(node, fabric), &parameters);
        let ms = step.step_time(&StepLoad::decode(8, 1000)).as_millis_f64();
        assert!((0.5..500.0).contains(&ms), "{}: {ms} ms a step", node.name);
    }
}

#[test]
fn crossing_the_scale_up_domain_costs_time() {
    let c = Catalogue::shipped().unwrap();
    let (chip, model) = (
        c.chip("trainium2").unwrap(),
        c.model("llama3.1-405b").unwrap(),
    );
    let precision = c.precision("bf16").unwrap();
    let d = Deployment::new(chip, model, precision, Plan::tensor(32), Engine::Neuron).unwrap();
    let parameters = Parameters::shipped().unwrap();
    let time = |node: &str| {
        let node = c.node(node).unwrap();
        let placed = d.clone().on_node(node, c.fabric(&node.fabric).unwrap());
        StepModel::new(&placed, &parameters).step_time(&StepLoad::decode(8, 1000))
    };
    assert!(time("trn2.48xlarge") > time("trn2u.48xlarge"));
}

#[test]
fn a_node_of_an_unknown_chip_is_refused() {
    let mut c = Catalogue::shipped().unwrap();
    let text = "[[node]]\nname = \"n\"\nchip = \"z80\"\nchips = 8\nscaleup_domain_chips = 8\n\
                fabric = \"efa-v3\"\nsource = \"s\"\nconfidence = \"c\"\n";
    let error = c.add("mine.toml", text).unwrap_err();
    assert!(
        matches!(error, CatalogueError::Unknown { kind: "chip", .. }),
        "{error}"
    );
}
