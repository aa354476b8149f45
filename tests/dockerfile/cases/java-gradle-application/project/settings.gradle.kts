rootProject.name = "tool"
include("app")
