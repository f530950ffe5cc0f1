# Draft of a Homebrew formula for a tap of your own; docs/install.md describes it.
class Mlxsite < Formula
  include Language::Python::Virtualenv

  desc "Local LLM server and its studio on Apple MLX"
  homepage "https://example.org/mlxsite" # replace
  url "https://example.org/mlxsite-0.1.0.tar.gz" # replace with the address of the sdist
  sha256 "0000000000000000000000000000000000000000000000000000000000000000" # replace
  license "MIT"

  depends_on arch: :arm64
  depends_on :macos
  depends_on "python@3.13"

  def install
    # MLX comes as a wheel only, so pip resolves the requirements; a formula for homebrew/core would list
    # each as a resource (`brew update-python-resources`) and depend on the formula `mlx`.
    system "python3.13", "-m", "venv", libexec
    system libexec/"bin/python", "-m", "pip", "install", "--no-cache-dir", buildpath
    bin.install_symlink libexec/"bin/mlxsite"
  end

  service do
    run [opt_bin/"mlxsite", "serve"]
    keep_alive successful_exit: false
    process_type :interactive
    log_path var/"log/mlxsite.log"
    error_log_path var/"log/mlxsite.log"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/mlxsite --version")
  end
end
