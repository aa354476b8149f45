plugins {
    application
}
application {
    mainClass = "org.example.App"
}
java { sourceCompatibility = JavaVersion.VERSION_17 }
