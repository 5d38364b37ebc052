"""The operations that the simulated device supports: an explicit list. A test demands that each is
compared with the CPU.

They are what the katas, their other right solutions and common ways around need: small networks,
their losses and optimizers. The names are torch's own, with the overload after the dot; one that
this torch does not know is passed over.
"""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Element by element on two tensors or more; CUDA takes a single number from the CPU here, a tensor
# without a dimension.
NUMBERS_FROM_THE_CPU = _names("""
    add.Tensor add_.Tensor sub.Tensor sub_.Tensor rsub.Tensor mul.Tensor mul_.Tensor div.Tensor
    div_.Tensor div.Tensor_mode div_.Tensor_mode remainder.Tensor remainder_.Tensor
    remainder.Scalar_Tensor fmod.Tensor fmod_.Tensor floor_divide floor_divide_.Tensor
    pow.Tensor_Tensor pow_.Tensor pow.Scalar atan2 atan2_ maximum minimum fmin fmax hypot hypot_
    copysign.Tensor copysign_.Tensor xlogy.Tensor xlogy_.Tensor xlogy.Scalar_Self xlogy.Scalar_Other
    logaddexp logaddexp2 heaviside heaviside_ eq.Tensor eq_.Tensor ne.Tensor ne_.Tensor lt.Tensor
    lt_.Tensor le.Tensor le_.Tensor gt.Tensor gt_.Tensor ge.Tensor ge_.Tensor logical_and
    logical_and_ logical_or logical_or_ logical_xor logical_xor_ bitwise_and.Tensor
    bitwise_and_.Tensor bitwise_or.Tensor bitwise_or_.Tensor bitwise_xor.Tensor bitwise_xor_.Tensor
    where.self addcmul addcmul_ addcdiv addcdiv_ lerp.Scalar lerp.Tensor lerp_.Scalar lerp_.Tensor
    clamp_min.Tensor clamp_min_.Tensor clamp_max.Tensor clamp_max_.Tensor mse_loss mse_loss_backward
    smooth_l1_loss smooth_l1_loss_backward huber_loss huber_loss_backward threshold_backward
    tanh_backward sigmoid_backward _foreach_add.Tensor _foreach_add_.Tensor _foreach_mul.Tensor
    _foreach_mul_.Tensor _foreach_div.Tensor _foreach_div_.Tensor
    """)

# Like these, but only the number that is put in may come from the CPU, not the mask.
VALUE_FROM_THE_CPU = _names("""
    fill.Tensor fill_.Tensor masked_fill.Tensor masked_fill_.Tensor index_fill.int_Tensor
    index_fill_.int_Tensor
    """)

# CUDA takes index tensors and masks from the CPU here, and a single number to put there.
INDICES_FROM_THE_CPU = _names("index.Tensor index_put index_put_ _index_put_impl_ ")

# All tensors lie on the device.
PLAIN = _names("""
    abs abs_ neg neg_ sign sign_ sgn sgn_ exp exp_ exp2 exp2_ expm1 expm1_ log log_ log2 log2_ log10
    log10_ log1p log1p_ sqrt sqrt_ rsqrt rsqrt_ reciprocal reciprocal_ sin sin_ cos cos_ tan tan_
    asin asin_ acos acos_ atan atan_ sinh sinh_ cosh cosh_ tanh tanh_ asinh asinh_ acosh acosh_
    atanh atanh_ erf erf_ erfc erfc_ erfinv erfinv_ sigmoid sigmoid_ logit logit_ sinc sinc_ floor
    floor_ ceil ceil_ round round_ round.decimals round_.decimals trunc trunc_ frac frac_ isnan
    isinf isneginf isposinf signbit nan_to_num nan_to_num_ deg2rad deg2rad_ rad2deg rad2deg_
    logical_not logical_not_ bitwise_not bitwise_not_ add.Scalar add_.Scalar sub.Scalar sub_.Scalar
    rsub.Scalar mul.Scalar mul_.Scalar div.Scalar div_.Scalar div.Scalar_mode div_.Scalar_mode
    remainder.Scalar remainder_.Scalar fmod.Scalar fmod_.Scalar floor_divide.Scalar
    floor_divide_.Scalar pow.Tensor_Scalar pow_.Scalar copysign.Scalar copysign_.Scalar eq.Scalar
    eq_.Scalar ne.Scalar ne_.Scalar lt.Scalar lt_.Scalar le.Scalar le_.Scalar gt.Scalar gt_.Scalar
    ge.Scalar ge_.Scalar bitwise_and.Scalar bitwise_or.Scalar bitwise_xor.Scalar clamp clamp_
    clamp.Tensor clamp_.Tensor clamp_min clamp_min_ clamp_max clamp_max_ relu relu_ gelu silu silu_
    mish mish_ elu elu_ celu celu_ leaky_relu leaky_relu_ softplus softshrink hardshrink hardtanh
    hardtanh_ hardsigmoid hardsigmoid_ hardswish hardswish_ threshold threshold_ log_sigmoid_forward
    glu _prelu_kernel gelu_backward silu_backward mish_backward elu_backward leaky_relu_backward
    softplus_backward softshrink_backward hardshrink_backward hardtanh_backward hardsigmoid_backward
    hardswish_backward log_sigmoid_backward logit_backward glu_backward _prelu_kernel_backward
    _softmax _softmax_backward_data _log_softmax _log_softmax_backward_data soft_margin_loss
    soft_margin_loss_backward binary_cross_entropy binary_cross_entropy_backward
    binary_cross_entropy_with_logits nll_loss_forward nll_loss_backward nll_loss2d_forward
    nll_loss2d_backward native_batch_norm native_batch_norm_backward native_layer_norm
    native_layer_norm_backward native_group_norm native_group_norm_backward native_dropout
    native_dropout_backward embedding embedding_dense_backward sum sum.dim_IntList mean mean.dim
    prod prod.dim_int max max.dim min min.dim amax amin aminmax argmax argmin all all.dim all.dims
    any any.dim any.dims std.correction var.correction std_mean.correction var_mean.correction
    norm.Scalar norm.ScalarOpt_dim norm.ScalarOpt_dim_dtype norm.ScalarOpt_dtype linalg_vector_norm
    logsumexp median median.dim nansum cumsum cumsum_ cumprod cumprod_ _cummax_helper _cummin_helper
    count_nonzero count_nonzero.dim_IntList kthvalue sort sort.stable topk equal allclose
    _local_scalar_dense bincount histc _unique _unique2 unique_dim unique_consecutive nonzero mm bmm
    mv dot vdot addmm addmm_ addmv addmv_ addr addr_ baddbmm baddbmm_ addbmm addbmm_ trace tril
    tril_ triu triu_ _cdist_forward _cdist_backward linalg_inv_ex cat stack flip roll repeat
    repeat_interleave.Tensor constant_pad_nd gather scatter.src scatter_.src scatter.value
    scatter_.value scatter_add scatter_add_ index_select index_add index_add_ index_copy index_copy_
    index_fill.int_Scalar index_fill_.int_Scalar take put put_ masked_fill.Scalar
    masked_fill_.Scalar masked_select masked_scatter masked_scatter_ masked_scatter_backward
    bucketize.Tensor searchsorted.Tensor diag_embed rot90 clone copy _unsafe_view slice_backward
    select_backward diagonal_backward unfold_backward slice_scatter select_scatter
    unsafe_split.Tensor fill.Scalar fill_.Scalar zero zero_ bernoulli bernoulli_.float bernoulli.p
    bernoulli_.Tensor normal_ normal.Tensor_Tensor normal.Tensor_float normal.float_Tensor uniform_
    random_ random_.from random_.to exponential_ multinomial _foreach_add.List _foreach_add_.List
    _foreach_add.Scalar _foreach_add_.Scalar _foreach_add.ScalarList _foreach_add_.ScalarList
    _foreach_sub.List _foreach_sub_.List _foreach_sub.Scalar _foreach_sub_.Scalar
    _foreach_sub.ScalarList _foreach_sub_.ScalarList _foreach_mul.List _foreach_mul_.List
    _foreach_mul.Scalar _foreach_mul_.Scalar _foreach_mul.ScalarList _foreach_mul_.ScalarList
    _foreach_div.List _foreach_div_.List _foreach_div.Scalar _foreach_div_.Scalar
    _foreach_div.ScalarList _foreach_div_.ScalarList _foreach_addcmul.Scalar
    _foreach_addcmul_.Scalar _foreach_addcmul.ScalarList _foreach_addcmul_.ScalarList
    _foreach_addcdiv.Scalar _foreach_addcdiv_.Scalar _foreach_addcdiv.ScalarList
    _foreach_addcdiv_.ScalarList _foreach_lerp.List _foreach_lerp_.List _foreach_lerp.Scalar
    _foreach_lerp_.Scalar _foreach_lerp.ScalarList _foreach_lerp_.ScalarList _foreach_maximum.List
    _foreach_maximum_.List _foreach_maximum.Scalar _foreach_maximum_.Scalar _foreach_minimum.List
    _foreach_minimum_.List _foreach_clamp_min.Scalar _foreach_clamp_min_.Scalar
    _foreach_clamp_max.Scalar _foreach_clamp_max_.Scalar _foreach_sqrt _foreach_sqrt_ _foreach_neg
    _foreach_neg_ _foreach_abs _foreach_abs_ _foreach_sign _foreach_sign_ _foreach_reciprocal
    _foreach_reciprocal_ _foreach_pow.List _foreach_pow.Scalar _foreach_pow_.Scalar
    _foreach_pow.ScalarAndTensor _foreach_zero_ _foreach_norm.Scalar _foreach_copy_
    """)

VIEWS = _names("""
    as_strided view _reshape_alias transpose.int t permute expand unsqueeze squeeze squeeze.dim
    squeeze.dims slice.Tensor select.int diagonal unfold split.Tensor split_with_sizes unbind.int
    """)

# torch's general way for these reads no numbers: a second tensor in the same storage. It has to be
# one that Python has not seen yet, because Parameter(...) makes it an object of its own class; a
# kernel in Python could not give one.
LEFT_TO_TORCH = _names("alias detach lift lift_fresh")

RESHAPED_IN_PLACE = _names(
    "squeeze_ squeeze_.dim squeeze_.dims unsqueeze_ t_ transpose_ as_strided_"
)

# They say where their result is to lie, and may take a tensor as a pattern.
FACTORIES = _names("""
    empty.memory_format empty_strided empty_like new_empty new_empty_strided new_zeros new_ones
    new_full zeros zeros_like ones ones_like full full_like rand rand_like randn randn_like randint
    randint.low randint_like randint_like.low_dtype randperm rand.generator randn.generator
    randint.generator randint.low_generator randperm.generator arange arange.start arange.start_step
    linspace logspace eye eye.m scalar_tensor tril_indices triu_indices normal.float_float _to_copy
    """)

# With a kernel of their own.
BY_HAND = _names(
    "copy_ maximum.out minimum.out _efficientzerotensor set_.source_Storage"
    " set_.source_Storage_storage_offset"
)

# Refused although they are made of other operations: some of those build tensors without asking the
# device, or read its memory.
REFUSED = ("sparse_", "_sparse_", "fbgemm_", "quantized_", "choose_qparams")

WITH_A_KERNEL = NUMBERS_FROM_THE_CPU.union(
    VALUE_FROM_THE_CPU, INDICES_FROM_THE_CPU, PLAIN, VIEWS, RESHAPED_IN_PLACE, FACTORIES, BY_HAND
)
SUPPORTED = WITH_A_KERNEL | LEFT_TO_TORCH
