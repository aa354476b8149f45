defmodule Shop.MixProject do
  use Mix.Project

  def project do
    [
      app: :shop,
      elixir: "~> 1.15",
      deps: deps()
    ]
  end

  defp deps, do: [{:phoenix, "~> 1.7"}, {:bandit, "~> 1.5"}]
  defp aliases, do: ["assets.deploy": ["phx.digest"]]
end
