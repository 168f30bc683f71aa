import torch

from mustango.vocoder import ISTFTVocoder


def test_gives_a_hop_of_samples_a_frame():
    vocoder = ISTFTVocoder(n_mels=16, n_fft=256, hop_length=64, channels=8, hidden=16, layers=2)
    with torch.no_grad():
        assert vocoder(torch.randn(2, 20, 16)).shape == (2, 20 * 64)


def test_can_learn_a_tone():
    torch.manual_seed(0)
    vocoder = ISTFTVocoder(n_mels=4, n_fft=256, hop_length=64, channels=16, hidden=32, layers=1)
    mels = torch.ones(1, 32, 4)
    target = torch.sin(torch.arange(32 * 64) * 2 * torch.pi / 64)[None]  # a whole period a hop: every frame is alike
    optimizer = torch.optim.Adam(vocoder.parameters(), 1e-2)
    first = None
    for _ in range(150):
        loss = (vocoder(mels) - target).square().mean()
        first = first or loss.item()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.05 * first
