plugins {
    alias(libs.plugins.kotlin.jvm)
    alias(libs.plugins.ktor)
}
kotlin { jvmToolchain(21) }
