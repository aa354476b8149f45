def project do
  [
    apps_path: "apps",
    # releases: [no: []]
    releases: [
      gateway: [applications: [web: :permanent]]
    ]
  ]
end
