//! What is known of a recipe beyond its record.

use bitzel_base::RecipeInfo;
use bitzel_taskgraph::Recipe;

/// Looks up what a recipe's record does not hold.
pub trait RecipeDetails {
    /// The expanded value of a variable; `None` if it has none.
    fn variable(&self, recipe: &Recipe, name: &str) -> Option<String>;

    /// All files read for the recipe, itself, appends and configuration included.
    fn files_read(&self, recipe: &Recipe) -> Vec<String>;
}

/// Answers from the record alone: the variables it keeps, the recipe file, its
/// appends and classes.
#[derive(Clone, Copy, Debug, Default)]
pub struct InfoDetails;

impl RecipeDetails for InfoDetails {
    fn variable(&self, recipe: &Recipe, name: &str) -> Option<String> {
        from_record(&recipe.info, name)
    }

    fn files_read(&self, recipe: &Recipe) -> Vec<String> {
        let info = &recipe.info;
        [&recipe.id.file].into_iter().chain(&info.appends).chain(&info.inherits).cloned().collect()
    }
}

/// A variable as far as the record holds it.
pub(crate) fn from_record(info: &RecipeInfo, name: &str) -> Option<String> {
    let list = |words: &[String]| Some(words.join(" "));
    let of_package = |map: &std::collections::BTreeMap<String, Vec<String>>, variable: &str| {
        let package = name.strip_prefix(variable)?.strip_prefix(':')?;
        Some(map.get(package)?.join(" "))
    };
    match name {
        "PN" => Some(info.pn.clone()),
        "PE" => Some(info.pe.clone()),
        "PV" => Some(info.pv.clone()),
        "PR" => Some(info.pr.clone()),
        "STAMP" => Some(info.stamp.clone()),
        "DEPENDS" => list(&info.depends),
        "PROVIDES" => list(&info.provides),
        "PACKAGES" => list(&info.packages),
        "PACKAGES_DYNAMIC" => list(&info.packages_dynamic),
        "RPROVIDES" => list(&info.rprovides),
        "RDEPENDS" => list(&info.rdepends),
        "RRECOMMENDS" => list(&info.rrecommends),
        "DEFAULT_PREFERENCE" => Some(info.defaultpref.to_string()),
        "EXCLUDE_FROM_WORLD" => Some(info.not_world.clone()),
        _ => of_package(&info.rdepends_pkg, "RDEPENDS")
            .or_else(|| of_package(&info.rrecommends_pkg, "RRECOMMENDS"))
            .or_else(|| of_package(&info.rprovides_pkg, "RPROVIDES")),
    }
}

/// Variables `--output build` prints.
pub(crate) const DEFINING: [&str; 8] =
    ["PN", "PE", "PV", "PR", "PROVIDES", "DEPENDS", "PACKAGES", "RDEPENDS"];

/// What sort of recipe it is, by its variant, name and classes.
pub(crate) fn recipe_kind(recipe: &Recipe) -> &'static str {
    let inherits = |class: &str| {
        let file = format!("/{class}.bbclass");
        recipe.info.inherits.iter().any(|path| path.ends_with(&file))
    };
    let pn = recipe.info.pn.as_str();
    if inherits("native") || recipe.id.variant == "native" {
        "native"
    } else if inherits("nativesdk") || recipe.id.variant == "nativesdk" {
        "nativesdk"
    } else if inherits("cross-canadian") || pn.contains("-cross-canadian-") {
        "cross-canadian"
    } else if inherits("crosssdk") || pn.contains("-crosssdk-") {
        "crosssdk"
    } else if inherits("cross") || pn.contains("-cross-") {
        "cross"
    } else if inherits("image") || inherits("image_types") {
        "image"
    } else if inherits("packagegroup") {
        "packagegroup"
    } else {
        "recipe"
    }
}
