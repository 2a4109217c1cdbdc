//! Options that several commands have.

use bitzel_workspace::ConfigChoice;

/// Options that every command with metadata has.
#[derive(clap::Args, Clone, Default)]
pub struct ConfigArguments {
    /// Read this file before bitbake.conf
    #[arg(short = 'r', long = "read", value_name = "FILE", global = true)]
    pub read: Vec<String>,
    /// Read this file after bitbake.conf
    #[arg(short = 'R', long = "postread", value_name = "FILE", global = true)]
    pub postread: Vec<String>,
    /// Behave as this BitBake: 2.8 or 2.18 [default: by the layers' LAYERSERIES_CORENAMES]
    #[arg(long, value_name = "VERSION", value_parser = ["2.8", "2.18"], global = true)]
    pub compat: Option<String>,
}

impl ConfigArguments {
    /// As the workspace wants it.
    pub fn choice(&self) -> ConfigChoice {
        ConfigChoice { read: self.read.clone(), postread: self.postread.clone(), compat: self.compat.clone() }
    }
}
